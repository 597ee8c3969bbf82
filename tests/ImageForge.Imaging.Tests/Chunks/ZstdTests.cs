using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Tests.Doubles;

namespace ImageForge.Imaging.Tests.Chunks;

public sealed class ZstdTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(512)]
    [InlineData(64 << 10)]
    [InlineData(1 << 20)]
    [InlineData(16 << 20)]
    public void Gives_back_what_was_compressed_whatever_it_is(int length)
    {
        var random = new Random(length);
        var incompressible = new byte[length];
        random.NextBytes(incompressible);
        var repetitive = new byte[length];
        for (var i = 0; i < length; i++)
            repetitive[i] = (byte)(i % 251);
        foreach (var plain in (byte[][])[incompressible, repetitive, new byte[length]])
        {
            var frame = SyntheticImage.Frame(plain, 3);
            Assert.True(frame.Length <= ChunkFrame.MaxLength(length));
            Assert.True(ChunkFrame.Verify(ChunkId.Of(plain), length, frame));
            using var zstd = new ZstdDecompressor();
            var back = new byte[length];
            Assert.True(zstd.TryDecompress(frame, back));
            Assert.Equal(plain, back);
        }
    }

    [Fact]
    public void Incompressible_content_costs_less_than_one_percent()
    {
        var plain = new byte[1 << 20];
        new Random(1).NextBytes(plain);
        Assert.InRange(SyntheticImage.Frame(plain, 3).Length, plain.Length, plain.Length + plain.Length / 100);
    }

    [Fact]
    public void Refuses_a_frame_that_expands_beyond_its_chunk()
    {
        // A zip bomb: 16 MiB of zeros in about 500 bytes, announced as 64 KiB.
        var bomb = SyntheticImage.Frame(new byte[16 << 20]);
        Assert.True(bomb.Length < 4096);
        Assert.False(ChunkFrame.Verify(ChunkId.Of(new byte[64 << 10]), 64 << 10, bomb));
        using var zstd = new ZstdDecompressor();
        Assert.False(zstd.TryDecompress(bomb, new byte[64 << 10]));
    }

    [Fact]
    public void Refuses_frames_that_are_not_exactly_one()
    {
        var plain = new byte[1000];
        new Random(2).NextBytes(plain);
        var id = ChunkId.Of(plain);
        var frame = SyntheticImage.Frame(plain);
        byte[] skippable = [0x50, 0x2A, 0x4D, 0x18, 4, 0, 0, 0, 1, 2, 3, 4];
        Assert.True(ChunkFrame.Verify(id, 1000, frame));
        Assert.False(ChunkFrame.Verify(id, 999, frame));
        Assert.False(ChunkFrame.Verify(id, 1001, frame));
        Assert.False(ChunkFrame.Verify(id, 0, frame));
        Assert.False(ChunkFrame.Verify(id, int.MaxValue, frame));
        Assert.False(ChunkFrame.Verify(id, 1000, frame.AsSpan(0, frame.Length - 1)));
        Assert.False(ChunkFrame.Verify(id, 1000, [.. frame, 0]));
        Assert.False(ChunkFrame.Verify(id, 1000, [.. skippable, .. frame]));
        Assert.False(ChunkFrame.Verify(id, 1000, [.. frame, .. skippable]));
        Assert.False(ChunkFrame.Verify(id, 1000, []));
        Assert.False(ChunkFrame.Verify(ChunkId.Of([1]), 1000, frame));
    }

    [Fact]
    public void Random_and_mutated_frames_are_refused_or_right()
    {
        var random = new Random(3);
        var plain = new byte[4096];
        random.NextBytes(plain.AsSpan(0, 2048));
        var id = ChunkId.Of(plain);
        var frame = SyntheticImage.Frame(plain);
        for (var i = 0; i < 20_000; i++)
        {
            var bytes = frame.ToArray();
            for (var n = random.Next(1, 4); n > 0; n--)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            if (i % 4 == 0)
                bytes = bytes[..random.Next(bytes.Length)];
            // A mutation may restore the original; anything else must not pass.
            Assert.Equal(bytes.AsSpan().SequenceEqual(frame), ChunkFrame.Verify(id, 4096, bytes) && bytes.AsSpan().SequenceEqual(frame));
            var noise = new byte[random.Next(200)];
            random.NextBytes(noise);
            Assert.False(ChunkFrame.Verify(id, 4096, noise));
        }
    }
}
