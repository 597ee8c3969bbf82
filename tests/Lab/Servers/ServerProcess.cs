using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using ImageForge.Lab.Networks;

namespace ImageForge.Lab.Servers;

/// <summary>The published ImageForge server as a process in the lab's server namespace. It can be killed and started again on the same data folder.</summary>
public sealed class ServerProcess : IAsyncDisposable
{
    private readonly LabNetwork _network;
    private readonly string _name;
    private readonly IReadOnlyList<string> _settings;
    private readonly Lock _outputLock = new();
    private readonly StringBuilder _output = new();
    private Process? _process;
    private Task _reading = Task.CompletedTask;

    private ServerProcess(LabNetwork network, string name, string dataFolder, IReadOnlyList<string> settings) =>
        (_network, _name, DataFolder, _settings) = (network, name, dataFolder, settings);

    public string DataFolder { get; }

    public bool IsRunning => _process is { HasExited: false };

    /// <summary>Everything the server printed since it was first started.</summary>
    public string Output
    {
        get
        {
            lock (_outputLock)
                return _output.ToString();
        }
    }

    /// <param name="settings">Further settings below section ImageForge, for example <c>Boot:TokenMinutes=1</c>.</param>
    public static async Task<ServerProcess> StartAsync(LabNetwork network, string name, string dataFolder, params string[] settings)
    {
        var server = new ServerProcess(network, name, dataFolder, settings);
        await server.StartAsync();
        return server;
    }

    public async Task StartAsync()
    {
        // Settings are given as the documentation tells people to give them.
        string[] arguments =
        [
            Path.Combine(Repository.Server, "ImageForge.Server.dll"),
            $"--ImageForge:DataFolder={DataFolder}",
            $"--ImageForge:LiveImageFolder={Repository.LiveImage}",
            $"--ImageForge:BootFilesFolder={Repository.BootFiles}",
            "--ImageForge:BootServices:Interface=eth0",
            // no_timer_check: an emulated timer that comes late on a busy host is not a broken one (else the kernel panics).
            "--ImageForge:Boot:KernelArguments=console=ttyS0 no_timer_check",
            .. _settings.Select(setting => $"--ImageForge:{setting}"),
        ];
        _process = LabNetwork.StartIn(_network.Server, "dotnet", arguments);
        _process.StandardInput.Close();
        _reading = Task.WhenAll(ReadAsync(_process.StandardOutput), ReadAsync(_process.StandardError));
        var clock = Stopwatch.StartNew();
        while (true)
        {
            if (_process.HasExited)
            {
                await _reading;
                throw new LabException($"the server ended with {_process.ExitCode}:\n{Output}");
            }
            if (clock.Elapsed > TimeSpan.FromSeconds(60))
                throw new LabException($"the server did not answer /healthz within 60 s:\n{Output}");
            if (await IsHealthyAsync())
                return;
            await Task.Delay(200);
        }
    }

    /// <summary>The code of the one-time link for the first administrator, as printed on the console.</summary>
    public async Task<string> SetUpCodeAsync()
    {
        for (var i = 0; i < 100; i++)
        {
            if (Regex.Match(Output, @"/setup[#?](?:code=)?([\w-]+)") is { Success: true } match)
                return match.Groups[1].Value;
            await Task.Delay(100);
        }
        throw new LabException($"the server printed no set-up link:\n{Output}");
    }

    /// <summary>As a power cut would end it: no shutdown code runs.</summary>
    public async Task KillAsync()
    {
        if (_process is null)
            return;
        if (!_process.HasExited)
            _process.Kill();
        await _process.WaitForExitAsync();
        await _reading;
        _process.Dispose();
        _process = null;
    }

    public async ValueTask DisposeAsync() => await KillAsync();

    private async Task<bool> IsHealthyAsync()
    {
        using var handler = NamespaceSockets.Handler(_network.Server);
        using var client = new HttpClient(handler) { Timeout = TimeSpan.FromSeconds(2) };
        try
        {
            using var response = await client.GetAsync(new Uri("http://127.0.0.1:8080/healthz"));
            return response.IsSuccessStatusCode;
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            return false;
        }
    }

    private async Task ReadAsync(StreamReader reader)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            lock (_outputLock)
            {
                _output.AppendLine(line);
                File.AppendAllText(Path.Combine(Repository.LogFolder, $"{_name}.server.log"), line + "\n");
            }
        }
    }
}
