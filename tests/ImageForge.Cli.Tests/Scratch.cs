using ImageForge.Lab;

namespace ImageForge.Cli.Tests;

/// <summary>A folder of its own, in memory where there is room; gone at the end.</summary>
internal sealed class Scratch : IDisposable
{
    private readonly string _folder = Directory.CreateDirectory(Path.Combine(
        Directory.Exists("/dev/shm") && new DriveInfo("/dev/shm").AvailableFreeSpace > 4L << 30 ? "/dev/shm" : Path.GetTempPath(),
        $"imageforge-cli-{Guid.CreateVersion7():N}")).FullName;

    public string Store => this["store"];

    public string this[string name] => Path.Combine(_folder, name);

    /// <summary>Runs a script of shell commands in the folder: real tools making real disks.</summary>
    public Task<string> ShellAsync(string script) => Command.RunAsync("bash", "-euo", "pipefail", "-c", $"cd '{_folder}'\n{script}");

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
