namespace ImageForge.Imaging.Chunks;

/// <summary>Where a deploy gets chunks from: the server over HTTPS, or a local store.</summary>
public interface IChunkSource
{
    /// <summary>Reads the stored zstd frame of a chunk into <paramref name="frame"/> and returns its length.</summary>
    /// <exception cref="Contracts.FailureException"><c>chunkMissing</c>, or the source cannot be reached for good.</exception>
    ValueTask<int> ReadFrameAsync(ChunkId id, Memory<byte> frame, CancellationToken cancel);
}

/// <summary>Where a capture sends chunks to.</summary>
public interface IChunkSink
{
    /// <summary>Which of <paramref name="ids"/> must be sent; the others are held and leased for this capture.</summary>
    ValueTask<bool[]> MissingAsync(IReadOnlyList<ChunkId> ids, CancellationToken cancel);

    /// <summary>Stores one zstd frame whose plain content of <paramref name="plainLength"/> bytes hashes to <paramref name="id"/>.</summary>
    ValueTask StoreAsync(ChunkId id, int plainLength, ReadOnlyMemory<byte> frame, CancellationToken cancel);
}
