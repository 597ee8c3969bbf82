using System.Diagnostics;

namespace ImageForge.Agent.Tests.RealServer;

/// <summary>
/// The agent program as its own process with image files as its disks. IMAGEFORGE_AGENT names the ahead-of-time compiled program
/// to test instead of the one built beside the tests.
/// </summary>
internal sealed class AgentProcess : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Process _process;

    public AgentProcess(string commandLine, string disk) : this(commandLine, ["sda=" + disk]) { }

    /// <param name="disks">Each as <c>name=path</c>; the name is its serial number as well.</param>
    public AgentProcess(string commandLine, string[] disks)
    {
        File.WriteAllText(_folder.File("cmdline"), commandLine);
        Directory.CreateDirectory(_folder.File("root"));
        string[] arguments = ["--root", _folder.File("root"), "--cmdline-file", _folder.File("cmdline"), "--state-folder", _folder.File("state"),
            "--console", "", .. disks.SelectMany(disk => new[] { "--disk-file", disk })];
        var compiled = Environment.GetEnvironmentVariable("IMAGEFORGE_AGENT");
        _process = Process.Start(new ProcessStartInfo(compiled ?? "dotnet",
            compiled is null ? [Path.Combine(AppContext.BaseDirectory, "imageforge-agent.dll"), .. arguments] : arguments)
        { RedirectStandardOutput = true })!;
        Output = _process.StandardOutput.ReadToEndAsync();
    }

    /// <summary>Complete once the process has ended.</summary>
    public Task<string> Output { get; }

    public async Task<int> EndAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(120));
        await _process.WaitForExitAsync(patience.Token);
        return _process.ExitCode;
    }

    /// <summary>As a power cut does: no word to the server, nothing flushed.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill();
        _process.Dispose();
        _folder.Dispose();
    }
}
