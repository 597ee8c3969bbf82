using ImageForge.Contracts;
using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Manifests;

namespace ImageForge.Imaging.Compare;

/// <summary>The plain content of chunks, one after the other. Not thread-safe.</summary>
internal sealed class ChunkContent(IChunkSource source) : IDisposable
{
    private readonly ZstdDecompressor _zstd = new();
    private byte[] _frame = [], _plain = [];

    /// <returns>Valid until the next call; a zero chunk is zeros.</returns>
    /// <exception cref="FailureException"><c>chunkMissing</c>, <c>chunkCorrupt</c>.</exception>
    public ReadOnlySpan<byte> Read(in ManifestChunk chunk, CancellationToken cancel)
    {
        if (_plain.Length < chunk.Length)
            (_plain, _frame) = (new byte[chunk.Length], new byte[ChunkFrame.MaxLength(chunk.Length)]);
        var plain = _plain.AsSpan(0, chunk.Length);
        plain.Clear();
        if (chunk.Kind != ChunkKind.Data)
            return plain;
        var length = source.ReadFrameAsync(chunk.Id, _frame, cancel).AsTask().GetAwaiter().GetResult();
        return ChunkFrame.TryOpen(_zstd, chunk.Id, _frame.AsSpan(0, length), plain)
            ? plain
            : throw new FailureException("chunkCorrupt", Fault.Image, $"Chunk {chunk.Id} of the image is damaged in the store.", "Verify the image and capture it again.");
    }

    public void Dispose() => _zstd.Dispose();
}
