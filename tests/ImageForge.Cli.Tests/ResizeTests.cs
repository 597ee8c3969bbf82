namespace ImageForge.Cli.Tests;

public sealed class ResizeTests : IAsyncLifetime, IDisposable
{
    private readonly Scratch _scratch = new();

    public async Task InitializeAsync()
    {
        var disk = await SampleDisk.MakeAsync(_scratch, "source");
        await Cli.RunAsync("disk", "capture", disk, "-i", "lab", "-s", _scratch.Store);
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public async Task A_larger_disk_is_filled_with_its_file_system()
    {
        var report = await Cli.JsonAsync("disk", "deploy", "lab", _scratch["large"], "--size", "300MiB", "--fill", "--new-ids", "-s", _scratch.Store);
        Assert.True(report.GetProperty("filled").GetBoolean());
        var blocks = await _scratch.ShellAsync("""
            dd if=large of=grown bs=1M skip=41 status=none; e2fsck -fn grown > log
            mkdir out; debugfs -R 'rdump / out' grown 2> log; diff -r -x lost+found source.files out
            [ "$(sfdisk -d source | grep -o 'label-id.*')" != "$(sfdisk -d large | grep -o 'label-id.*')" ]
            dumpe2fs -h grown 2> log | awk '/^Block count/ { b = $3 } /^Block size/ { print b * $3 }'
            """);
        Assert.InRange(long.Parse(blocks, System.Globalization.CultureInfo.InvariantCulture), 250L << 20, 259L << 20);
    }

    [Fact]
    public async Task A_smaller_version_is_made_and_fits_the_smaller_disk()
    {
        await Cli.RefusesAsync(1, "needs a disk of at least", "disk", "deploy", "lab", _scratch["small"], "--size", "90MiB", "-s", _scratch.Store);
        await Cli.RunAsync("images", "shrink", "lab:1", "--to", "90MiB", "-s", _scratch.Store);
        await Cli.RunAsync("disk", "deploy", "lab:2", _scratch["small"], "--size", "90MiB", "-s", _scratch.Store);
        await _scratch.ShellAsync("""
            dd if=small of=shrunk bs=1M skip=41 status=none; e2fsck -fn shrunk > log
            mkdir out; debugfs -R 'rdump / out' shrunk 2> log; diff -r -x lost+found source.files out
            """);
        Assert.Empty(Directory.GetDirectories(_scratch.Store + "/tmp"));
        await Cli.RefusesAsync(1, "the least it can be made to need", "images", "shrink", "lab:1", "--to", "50MiB", "-s", _scratch.Store);
    }

    [Fact]
    public async Task One_volume_is_restored_and_the_others_stay()
    {
        await Cli.RunAsync("disk", "deploy", "lab", _scratch["target"], "--size", "128MiB", "-s", _scratch.Store);
        await _scratch.ShellAsync("dd if=/dev/urandom of=target bs=1M seek=45 count=2 conv=notrunc status=none; dd if=/dev/urandom of=target bs=1M seek=3 count=1 conv=notrunc status=none; dd if=target of=before bs=1M count=40 skip=1 status=none");
        await Cli.RefusesAsync(2, "\"2,x\" names no volumes", "disk", "deploy", "lab", _scratch["target"], "--volumes", "2,x", "-s", _scratch.Store);
        await Cli.RunAsync("disk", "deploy", "lab", _scratch["target"], "--volumes", "2", "--yes", "-s", _scratch.Store);
        await _scratch.ShellAsync("dd if=target of=after bs=1M count=40 skip=1 status=none; cmp before after; dd if=target of=ext bs=1M skip=41 count=80 status=none; e2fsck -fn ext > log");
        // Volume 1 was spoilt on purpose, and stayed as it was.
        Assert.Equal("1", (await Cli.TryAsync("disk", "verify", _scratch["target"], "lab", "-s", _scratch.Store, "-o", "ids")).Output.Trim());
    }
}
