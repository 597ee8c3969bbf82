using ImageForge.Lab;

namespace ImageForge.Cli.Tests;

public sealed class LocalStoreTests : IAsyncLifetime, IDisposable
{
    private readonly Scratch _scratch = new();
    private string _disk = "";

    public async Task InitializeAsync()
    {
        _disk = await SampleDisk.MakeAsync(_scratch, "source");
        await CaptureAsync("lab");
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public async Task Lists_are_printed_as_table_json_csv_and_ids()
    {
        await CaptureAsync("lab");
        await CaptureAsync("Other image");
        Assert.Equal(["Other image", "lab"], Lines(await Cli.RunAsync("images", "list", "-s", _scratch.Store, "-o", "ids")));
        Assert.Equal(["lab:2", "lab:1"], Lines(await Cli.RunAsync("images", "show", "lab", "-s", _scratch.Store, "-o", "ids")));
        var list = await Cli.JsonAsync("images", "list", "-s", _scratch.Store);
        Assert.Equal(2, list[1].GetProperty("versions").GetInt32());
        Assert.StartsWith("name,versions,newest,sealed,disk,used,stored\n", await Cli.RunAsync("images", "list", "-s", _scratch.Store, "-o", "csv"), StringComparison.Ordinal);
        Assert.Contains("EFI system", await Cli.RunAsync("images", "show", "lab:1", "-s", _scratch.Store), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Deleting_frees_what_only_that_version_used_and_its_number_is_never_used_again()
    {
        var other = await SampleDisk.MakeAsync(_scratch, "changed", seed: 2);
        await Cli.RunAsync("disk", "capture", other, "-i", "lab", "-s", _scratch.Store);
        var chunks = Chunks().Length;
        await Cli.RefusesAsync(4, "nobody confirmed it", "images", "delete", "lab:2", "-s", _scratch.Store);

        var swept = await Cli.JsonAsync("images", "delete", "lab:2", "-s", _scratch.Store, "--yes");
        Assert.Equal(chunks - Chunks().Length, swept.GetProperty("chunks").GetInt32());
        Assert.InRange(Chunks().Length, 1, chunks - 1);
        Assert.Contains(" 0 bad", await Cli.RunAsync("images", "verify", "-s", _scratch.Store), StringComparison.Ordinal);
        await Cli.RefusesAsync(1, "has no version 2", "images", "show", "lab:2", "-s", _scratch.Store);

        Assert.Equal("lab:3", Lines(await Cli.RunAsync("disk", "capture", _disk, "-i", "lab", "-s", _scratch.Store, "-o", "ids"))[0]);
        await Cli.RunAsync("images", "delete", "lab", "-s", _scratch.Store, "--yes");
        Assert.Empty(Chunks());
        await Cli.RefusesAsync(1, "There is no image \"lab\"", "images", "show", "lab", "-s", _scratch.Store);
    }

    [Fact]
    public async Task A_bad_chunk_is_found_named_with_whom_it_hurts_and_mended_by_the_next_capture()
    {
        var bad = Chunks()[5];
        var bytes = await File.ReadAllBytesAsync(bad);
        bytes[bytes.Length / 2] ^= 1;
        await File.WriteAllBytesAsync(bad, bytes);
        File.Delete(Chunks()[0]);

        var found = await Cli.TryAsync("images", "verify", "-s", _scratch.Store);
        Assert.Equal(1, found.ExitCode);
        Assert.Contains($"damaged: {Path.GetFileName(bad)}, needed by lab:1", found.Output, StringComparison.Ordinal);
        Assert.Contains("missing: ", found.Output, StringComparison.Ordinal);
        await Cli.RefusesAsync(1, "is not in the store", "disk", "deploy", "lab:1", _scratch["new"], "--size", "128MiB", "-s", _scratch.Store);

        await CaptureAsync("lab");
        Assert.Contains(" 0 bad", await Cli.RunAsync("images", "verify", "lab:1", "-s", _scratch.Store), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_chunk_that_cannot_be_read_is_told_and_stays_where_it_is()
    {
        var chunks = Chunks();
        File.Delete(chunks[0]);
        File.CreateSymbolicLink(chunks[0], "/proc/self/mem"); // its first byte reads as EIO
        File.Delete(chunks[1]);
        Directory.CreateDirectory(chunks[1]);
        var found = await Cli.TryAsync("images", "verify", "-s", _scratch.Store);
        Assert.Equal(1, found.ExitCode);
        Assert.Contains($"unreadable: {Path.GetFileName(chunks[0])}, needed by lab:1", found.Output, StringComparison.Ordinal);
        Assert.Contains($"unreadable: {Path.GetFileName(chunks[1])}, needed by lab:1", found.Output, StringComparison.Ordinal);
        Assert.Contains(" 2 bad", found.Output, StringComparison.Ordinal);
        Assert.Contains(chunks[0], Chunks());
        Assert.Empty(Directory.GetFileSystemEntries(_scratch.Store + "/quarantine"));
    }

    [Fact]
    public async Task One_writes_at_a_time_and_nothing_is_removed_under_a_reader()
    {
        using var writer = Command.Start("flock", [_scratch.Store + "/lock", "sleep", "60"]);
        await UntilLockedAsync("lock");
        await Cli.RefusesAsync(1, "is in use by another program that writes", "disk", "capture", _disk, "-i", "lab", "-s", _scratch.Store);
        await Cli.RunAsync("disk", "deploy", "lab", _scratch["beside"], "--size", "128MiB", "-s", _scratch.Store);
        writer.Kill(entireProcessTree: true);
        await writer.WaitForExitAsync();

        using var reader = Command.Start("flock", ["--shared", _scratch.Store + "/readers", "sleep", "60"]);
        await UntilLockedAsync("readers");
        await Cli.RefusesAsync(1, "is in use by another program that reads", "images", "delete", "lab", "-y", "-s", _scratch.Store);
        await CaptureAsync("lab");
        reader.Kill(entireProcessTree: true);
    }

    [Fact]
    public async Task What_a_killed_capture_left_is_hashed_before_it_counts()
    {
        var chunks = Chunks();
        var staging = Path.Combine(_scratch.Store, "staging");
        // One arrived whole, of one only a part reached the disk, and one was never a chunk.
        File.Move(chunks[0], Path.Combine(staging, Path.GetFileName(chunks[0]) + "-1.1"));
        await File.WriteAllBytesAsync(Path.Combine(staging, Path.GetFileName(chunks[1]) + "-1.2"), new byte[100]);
        File.Delete(chunks[1]);
        await File.WriteAllTextAsync(Path.Combine(staging, "rubbish"), "x");

        var captured = await Cli.JsonAsync("disk", "capture", _disk, "-i", "lab", "-s", _scratch.Store);
        Assert.Equal(1, captured.GetProperty("chunksSent").GetInt32());
        Assert.Empty(Directory.GetFiles(staging));
        Assert.Contains(" 0 bad", await Cli.RunAsync("images", "verify", "-s", _scratch.Store), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("{\"image\":\"lab\",\"number\":1,\"manifestHash\":\"../../../etc/passwd\",\"sealedAt\":\"2026-01-01T00:00:00Z\",\"source\":\"\",\"diskBytes\":1,\"usedBytes\":1,\"chunkCount\":1,\"storedBytes\":1}")]
    [InlineData("{\"image\":\"../x\",\"number\":1}")]
    [InlineData("null")]
    public async Task A_damaged_entry_of_the_catalogue_is_told_and_believed_in_nothing(string entry)
    {
        await File.WriteAllTextAsync(Path.Combine(_scratch.Store, "catalogue/lab/1.json"), entry);
        await Cli.RefusesAsync(1, "The entry of lab:1 in the catalogue is damaged", "images", "show", "lab", "-s", _scratch.Store);
        await Cli.RefusesAsync(1, "The entry of lab:1 in the catalogue is damaged", "disk", "deploy", "lab", _scratch["new"], "--size", "1GiB", "-s", _scratch.Store);
    }

    private string[] Chunks() => Directory.GetFiles(Path.Combine(_scratch.Store, "chunks"), "*", SearchOption.AllDirectories);

    private Task<string> CaptureAsync(string image) => Cli.RunAsync("disk", "capture", _disk, "-i", image, "-s", _scratch.Store);

    private async Task UntilLockedAsync(string name) =>
        await _scratch.ShellAsync($"for i in $(seq 200); do flock -n store/{name} true || exit 0; sleep 0.05; done; exit 1");

    private static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
