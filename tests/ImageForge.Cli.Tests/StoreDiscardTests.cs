using ImageForge.Contracts;
using ImageForge.Imaging.Capture;
using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.LocalStore;
using ImageForge.Lab;

namespace ImageForge.Cli.Tests;

/// <summary>What a run that fails removes, and what it must leave.</summary>
public sealed class StoreDiscardTests : IAsyncLifetime, IDisposable
{
    private readonly Scratch _scratch = new();
    private string _disk = "";

    public async Task InitializeAsync() => _disk = await SampleDisk.MakeAsync(_scratch, "source");

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public async Task An_import_that_cannot_print_its_result_keeps_what_it_sealed()
    {
        var result = await Command.TryAsync("bash", "-c", $"'{Cli.Program}' images import '{_disk}' -i lab -s '{_scratch.Store}' > /dev/full");
        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains(" 0 bad", await Cli.RunAsync("images", "verify", "lab:1", "-s", _scratch.Store), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failed_run_leaves_the_chunk_it_put_back_for_another_image()
    {
        await Cli.RunAsync("disk", "capture", _disk, "-i", "lab", "-s", _scratch.Store);
        var store = LocalStore.Open(_scratch.Store);
        var version = store.Find("lab", 1);
        var manifest = store.ReadImage(version).Disks[0].Manifest;
        var capture = new CaptureResult(await File.ReadAllBytesAsync(Path.Combine(_scratch.Store, "manifests", version.ManifestHash)), version.ManifestHash, manifest);
        var chunks = Directory.GetFiles(_scratch.Store + "/chunks", "*", SearchOption.AllDirectories);
        var frame = await File.ReadAllBytesAsync(chunks[0]);
        File.Move(chunks[0], Path.Combine(_scratch.Store, "quarantine", Path.GetFileName(chunks[0])));
        File.Delete(chunks[1]);
        var stranger = ChunkId.Of([1, 2, 3]);

        using var writer = store.OpenWriter(TimeProvider.System);
        Assert.True(ChunkId.TryParse(Path.GetFileName(chunks[0]), out var id));
        await writer.StoreAsync(id, 1, frame, CancellationToken.None);
        await writer.StoreAsync(stranger, 3, frame, CancellationToken.None);
        Assert.Equal("chunkMissing", Assert.Throws<FailureException>(() => writer.Seal("other", "test", [capture])).Failure.Code);
        var placed = Directory.GetFiles(_scratch.Store + "/chunks", stranger.ToString(), SearchOption.AllDirectories);
        Assert.Single(placed);
        writer.Discard();
        Assert.True(File.Exists(chunks[0]));
        Assert.False(File.Exists(placed[0]));
    }

    [Fact]
    public async Task A_writer_clears_its_own_temporary_files_and_nothing_else_that_is_called_so()
    {
        await Cli.RunAsync("disk", "capture", _disk, "-i", "lab", "-s", _scratch.Store);
        var own = Path.Combine(_scratch.Store, "tmp", $"{LocalStoreWriter.TemporaryPrefix}{Guid.CreateVersion7():N}");
        Directory.CreateDirectory(own);
        await File.WriteAllTextAsync(own + "/volume-1", "left");
        string[] users = [Path.Combine(_scratch.Store, "import-source.img"), Path.Combine(_scratch.Store, "import-photos", "one"), Path.Combine(_scratch.Store, "tmp", "import-notes")];
        Directory.CreateDirectory(Path.GetDirectoryName(users[1])!);
        foreach (var file in users)
            await File.WriteAllTextAsync(file, "mine");
        await Cli.RunAsync("disk", "capture", _disk, "-i", "lab", "-s", _scratch.Store);
        Assert.All(users, file => Assert.Equal("mine", File.ReadAllText(file)));
        Assert.False(Directory.Exists(own));
    }
}
