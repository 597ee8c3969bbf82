using ImageForge.Imaging.Chunks;

namespace ImageForge.Server.Tests.ImageStore;

/// <summary>A chunk with its frame, half compressible like file content.</summary>
internal sealed record TestChunk(ChunkId Id, byte[] Plain, byte[] Frame)
{
    public static TestChunk Random(Random random, int length = 64 << 10)
    {
        var plain = new byte[length];
        random.NextBytes(plain.AsSpan(0, length / 2));
        return Of(plain);
    }

    public static TestChunk Of(byte[] plain)
    {
        using var zstd = new ZstdCompressor();
        var frame = new byte[ZstdCompressor.Bound(plain.Length)];
        var length = zstd.Compress(plain, frame, 3);
        return new TestChunk(ChunkId.Of(plain), plain, frame[..length]);
    }

    public static TestChunk[] Several(int seed, int count, int length = 64 << 10)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => Random(random, length))];
    }
}
