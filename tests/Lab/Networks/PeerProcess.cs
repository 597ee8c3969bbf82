using System.Diagnostics;
using System.Globalization;
using System.Threading.Channels;

namespace ImageForge.Lab.Networks;

/// <summary>The project MulticastPeer as a process in a namespace: one machine of a multicast session. Built beside whoever references it.</summary>
public sealed class PeerProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Channel<string> _lines = Channel.CreateUnbounded<string>();
    private readonly List<string> _said = [];
    private readonly string _name;

    private PeerProcess(string name, Process process)
    {
        (_name, _process) = (name, process);
        process.OutputDataReceived += (_, line) => Say(line.Data, isOutput: true);
        process.ErrorDataReceived += (_, line) => Say(line.Data, isOutput: false);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>The process itself, for signals.</summary>
    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>Everything it said, for messages.</summary>
    public string Said
    {
        get
        {
            lock (_said)
                return $"{_name}: {string.Join(" | ", _said)}";
        }
    }

    public static PeerProcess Start(string ns, params string[] arguments) =>
        new($"{ns} {arguments[0]}", LabNetwork.StartIn(ns, "dotnet", [Path.Combine(AppContext.BaseDirectory, "MulticastPeer.dll"), .. arguments]));

    public Task TellAsync(string line) => _process.StandardInput.WriteLineAsync(line);

    /// <summary>The next line that starts so; the others are dropped.</summary>
    /// <exception cref="LabException">None came in time.</exception>
    public async Task<string> HearAsync(string start, int seconds)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(seconds));
        try
        {
            await foreach (var line in _lines.Reader.ReadAllAsync(patience.Token))
                if (line.StartsWith(start, StringComparison.Ordinal))
                    return line;
        }
        catch (OperationCanceledException)
        {
        }
        throw new LabException($"no \"{start}\" within {seconds} s from {Said}");
    }

    /// <summary>Words of the form name=value.</summary>
    public static Dictionary<string, string> Words(string line) => line.Split(' ').Where(word => word.Contains('=', StringComparison.Ordinal))
        .Select(word => word.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1]);

    public static double Number(Dictionary<string, string> words, string name) => double.Parse(words[name], CultureInfo.InvariantCulture);

    public void Kill()
    {
        if (!_process.HasExited)
            _process.Kill();
    }

    public async ValueTask DisposeAsync()
    {
        Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private void Say(string? line, bool isOutput)
    {
        if (line is null)
        {
            if (isOutput)
                _lines.Writer.TryComplete();
            return;
        }
        lock (_said)
            _said.Add(line);
        if (isOutput)
            _lines.Writer.TryWrite(line);
    }
}
