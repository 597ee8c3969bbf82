using ImageForge.Contracts;
using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Tests.Doubles;

namespace ImageForge.Imaging.Tests.Chunks;

public sealed class FileChunkStoreTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly byte[] _plain = new byte[5000];

    public FileChunkStoreTests() => new Random(1).NextBytes(_plain);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Keeps_a_frame_under_the_name_of_its_content()
    {
        var store = new FileChunkStore(_folder.Path);
        var id = ChunkId.Of(_plain);
        Assert.True((await store.MissingAsync([id], CancellationToken.None)).Single());
        var frame = SyntheticImage.Frame(_plain);
        await store.StoreAsync(id, _plain.Length, frame, CancellationToken.None);
        Assert.False((await store.MissingAsync([id], CancellationToken.None)).Single());
        Assert.True((await store.HeldAsync([id], CancellationToken.None)).Single());

        var name = id.ToString();
        Assert.Equal(frame, await File.ReadAllBytesAsync(Path.Combine(_folder.Path, name[..2], name[2..4], name)));
        var buffer = new byte[ChunkFrame.MaxLength(_plain.Length)];
        var length = await store.ReadFrameAsync(id, buffer, CancellationToken.None);
        Assert.Equal(frame, buffer[..length]);
    }

    [Fact]
    public async Task Refuses_a_frame_that_is_not_its_chunk_and_leaves_nothing_behind()
    {
        var store = new FileChunkStore(_folder.Path);
        var failure = await Assert.ThrowsAsync<FailureException>(async () => await store.StoreAsync(ChunkId.Of([1]), _plain.Length, SyntheticImage.Frame(_plain), CancellationToken.None));
        Assert.Equal("chunkRefused", failure.Failure.Code);
        Assert.Empty(Directory.EnumerateFiles(_folder.Path, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Says_which_chunk_is_missing()
    {
        var id = ChunkId.Of(_plain);
        var failure = await Assert.ThrowsAsync<FailureException>(async () => await new FileChunkStore(_folder.Path).ReadFrameAsync(id, new byte[100], CancellationToken.None));
        Assert.Equal(("chunkMissing", Fault.Image), (failure.Failure.Code, failure.Failure.Fault));
        Assert.Contains(id.ToString(), failure.Failure.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Many_writers_of_one_chunk_do_not_disturb_each_other()
    {
        var store = new FileChunkStore(_folder.Path);
        var id = ChunkId.Of(_plain);
        var frame = SyntheticImage.Frame(_plain);
        await Task.WhenAll(Enumerable.Range(0, 32).Select(_ => Task.Run(async () => await store.StoreAsync(id, _plain.Length, frame, CancellationToken.None))));
        Assert.Single(Directory.EnumerateFiles(_folder.Path, "*", SearchOption.AllDirectories));
    }
}
