using System.Collections.Concurrent;

namespace ImageForge.Imaging.Chunks;

/// <summary>The stored form of a chunk: exactly one zstd frame (RFC 8878).</summary>
public static class ChunkFrame
{
    // One decompressor per concurrent caller, kept for the next one: a context costs about 160 KiB.
    private static readonly ConcurrentBag<(ZstdDecompressor Zstd, byte[] Plain)> s_idle = [];

    /// <summary>Largest frame accepted for a chunk of <paramref name="plainLength"/> bytes.</summary>
    public static int MaxLength(int plainLength) => ZstdCompressor.Bound(plainLength);

    /// <summary>Decompresses into <paramref name="plain"/> (whose length is the chunk's) and compares the hash; false for anything else than exactly this chunk.</summary>
    public static bool TryOpen(ZstdDecompressor zstd, ChunkId id, ReadOnlySpan<byte> frame, Span<byte> plain) =>
        frame.Length <= MaxLength(plain.Length) && zstd.TryDecompress(frame, plain) && ChunkId.Of(plain) == id;

    /// <summary>True if <paramref name="frame"/> is one frame whose content has <paramref name="plainLength"/> bytes and hashes to <paramref name="id"/>. Thread-safe.</summary>
    public static bool Verify(ChunkId id, int plainLength, ReadOnlySpan<byte> frame)
    {
        if (plainLength is < 1 or > ChunkSizes.Largest || frame.Length > MaxLength(plainLength))
            return false;
        if (!s_idle.TryTake(out var tools))
            tools = (new ZstdDecompressor(), []);
        try
        {
            if (tools.Plain.Length < plainLength)
                tools.Plain = GC.AllocateUninitializedArray<byte>(plainLength);
            return TryOpen(tools.Zstd, id, frame, tools.Plain.AsSpan(0, plainLength));
        }
        finally
        {
            s_idle.Add(tools);
        }
    }
}
