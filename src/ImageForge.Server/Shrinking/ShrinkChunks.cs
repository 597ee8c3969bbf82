using ImageForge.Contracts;
using ImageForge.Imaging.Chunks;
using ImageForge.Server.ImageStore;

namespace ImageForge.Server.Shrinking;

/// <summary>
/// The store as one shrink sees it. What it counts on is announced before the store is asked whether it holds it, so that a sweep either
/// sees that or has removed the chunk before the answer.
/// </summary>
internal sealed class ShrinkChunks(ChunkStore store) : IChunkSource, IChunkSink, IChunkRoots
{
    private readonly Lock _lock = new();
    private readonly HashSet<ChunkId> _counted = [];

    public void CountOn(IEnumerable<ChunkId> ids)
    {
        lock (_lock)
            _counted.UnionWith(ids);
    }

    public void CountOnNothing()
    {
        lock (_lock)
            _counted.Clear();
    }

    public Task KeepAsync(IReadOnlyList<ChunkId> candidates, HashSet<ChunkId> kept, CancellationToken cancellationToken)
    {
        lock (_lock)
            kept.UnionWith(candidates.Where(_counted.Contains));
        return Task.CompletedTask;
    }

    public ValueTask<int> ReadFrameAsync(ChunkId id, Memory<byte> frame, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        using var file = store.OpenRead(id) ?? throw new FailureException("chunkMissing", Fault.Image, $"Chunk {id} is not in the store.", "Capture the image again: what is missing is sent again.");
        var length = 0;
        while (length < frame.Length && RandomAccess.Read(file, frame.Span[length..], length) is > 0 and var read)
            length += read;
        return ValueTask.FromResult(length);
    }

    public ValueTask<bool[]> MissingAsync(IReadOnlyList<ChunkId> ids, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        CountOn(ids);
        return ValueTask.FromResult(store.Missing(ids));
    }

    public ValueTask StoreAsync(ChunkId id, int plainLength, ReadOnlyMemory<byte> frame, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        return store.Put(id, plainLength, frame.Span) switch
        {
            ChunkPut.Stored or ChunkPut.AlreadyHeld => ValueTask.CompletedTask,
            ChunkPut.DiskFull => throw ShrinkFailures.NoSpace,
            _ => throw new InvalidOperationException($"chunk {id} of a shrunk volume is not what its name says"),
        };
    }
}
