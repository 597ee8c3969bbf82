using ImageForge.Imaging.Chunks;

namespace ImageForge.Imaging.LocalStore;

/// <summary>The chunks of a local store, safe from a sweep while this is open.</summary>
public sealed class LocalStoreReader : IChunkSource, IChunkInventory, IDisposable
{
    private readonly StoreLock _lock;
    private readonly FileChunkStore _chunks;

    internal LocalStoreReader(LocalStoreFolder folder) => (_lock, _chunks) = (StoreLock.ForReading(folder), new FileChunkStore(folder.Chunks));

    public ValueTask<int> ReadFrameAsync(ChunkId id, Memory<byte> frame, CancellationToken cancel) => _chunks.ReadFrameAsync(id, frame, cancel);

    public ValueTask<bool[]> HeldAsync(IReadOnlyList<ChunkId> ids, CancellationToken cancel) => _chunks.HeldAsync(ids, cancel);

    public void Dispose() => _lock.Dispose();
}
