using System.IO.Compression;
using ImageForge.Imaging.Chunks;

namespace ImageForge.Imaging.Tests.Chunks;

public sealed class NoiseProbeTests
{
    private static byte[] Noise(int seed, int length)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    [Fact]
    public void Noise_is_recognised_and_stored_as_it_is_in_one_frame()
    {
        using var zstd = new ZstdCompressor();
        var frame = new byte[ZstdCompressor.Bound(256 << 10)];
        for (var seed = 0; seed < 200; seed++)
        {
            var plain = Noise(seed, 256 << 10);
            Assert.True(NoiseProbe.IsNoise(plain), $"seed {seed}");
            if (seed > 5)
                continue;
            var length = zstd.Compress(plain, frame, 1);
            // Raw blocks of 128 KiB with 3 bytes each, and a frame header.
            Assert.InRange(length, plain.Length, plain.Length + 32);
            Assert.True(ChunkFrame.Verify(ChunkId.Of(plain), plain.Length, frame.AsSpan(0, length)));
        }
    }

    [Fact]
    public void A_compressed_archive_is_noise()
    {
        using var archive = new MemoryStream();
        using (var deflate = new ZLibStream(archive, CompressionLevel.SmallestSize, leaveOpen: true))
            for (var i = 0; archive.Length < 300 << 10; i++)
                deflate.Write(File.ReadAllBytes(typeof(NoiseProbeTests).Assembly.Location));
        Assert.True(NoiseProbe.IsNoise(archive.ToArray().AsSpan(0, 256 << 10)));
    }

    [Fact]
    public void Programs_text_and_half_noise_are_not()
    {
        Assert.False(NoiseProbe.IsNoise(File.ReadAllBytes(typeof(object).Assembly.Location).AsSpan(1 << 20, 256 << 10)));
        Assert.False(NoiseProbe.IsNoise(System.Text.Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, 60_000).Select(i => $"line {i}\n")))));
        var half = Noise(1, 256 << 10);
        half.AsSpan(0, 128 << 10).Clear();
        Assert.False(NoiseProbe.IsNoise(half));
        Assert.False(NoiseProbe.IsNoise(new byte[256 << 10]));
        Assert.False(NoiseProbe.IsNoise([1, 2, 3]));
    }
}
