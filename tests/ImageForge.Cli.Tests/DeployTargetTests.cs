using ImageForge.Lab;

namespace ImageForge.Cli.Tests;

/// <summary>Targets that a deploy must not write to.</summary>
public sealed class DeployTargetTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public async Task A_file_that_another_program_has_locked_is_refused_and_not_touched()
    {
        await CaptureAsync("source");
        await _scratch.ShellAsync("truncate -s 128M target");
        using (var other = Command.Start("flock", [_scratch["target"], "sleep", "60"]))
        {
            await _scratch.ShellAsync("for i in $(seq 200); do flock -n target true || exit 0; sleep 0.05; done; exit 1");
            await RefusesAsync();
            other.Kill(entireProcessTree: true);
            await other.WaitForExitAsync();
        }
        using (var machine = Command.Start("qemu-nbd", ["--persistent", "-f", "raw", "-k", _scratch["socket"], _scratch["target"]]))
        {
            await _scratch.ShellAsync("for i in $(seq 200); do [ -S socket ] && break; sleep 0.05; done; timeout 30 qemu-img info 'nbd+unix:///?socket='\"$PWD/socket\" > log");
            await RefusesAsync();
            machine.Kill(entireProcessTree: true);
            await machine.WaitForExitAsync();
        }
        await _scratch.ShellAsync("cmp -n 134217728 target /dev/zero");
        await Cli.RunAsync("disk", "deploy", "lab", _scratch["target"], "--yes", "-s", _scratch.Store);

        async Task RefusesAsync() => Assert.Contains("has locked it",
            (await Cli.RefusesAsync(1, "is in use", "disk", "deploy", "lab", _scratch["target"], "--yes", "-s", _scratch.Store)).Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_target_under_two_names_is_refused()
    {
        await CaptureAsync("source", "second");
        await _scratch.ShellAsync("truncate -s 128M target; ln target hard; ln -s target soft");
        foreach (var other in (string[])["target", "hard", "soft", "../" + Path.GetFileName(Path.GetDirectoryName(_scratch["x"])) + "/target"])
            await Cli.RefusesAsync(2, "are the same disk", "disk", "deploy", "lab", _scratch["target"], _scratch[other], "--yes", "-s", _scratch.Store);
        await Cli.RefusesAsync(2, "are the same disk", "disk", "deploy", "lab", _scratch["new"], _scratch["./new"], "--size", "128MiB", "-s", _scratch.Store);
        await _scratch.ShellAsync("cmp -n 134217728 target /dev/zero; [ ! -e new ]");
    }

    private async Task CaptureAsync(params string[] names)
    {
        var disks = new List<string>();
        foreach (var name in names)
            disks.Add(await SampleDisk.MakeAsync(_scratch, name, disks.Count + 1));
        await Cli.RunAsync(["disk", "capture", .. disks, "-i", "lab", "-s", _scratch.Store]);
    }
}
