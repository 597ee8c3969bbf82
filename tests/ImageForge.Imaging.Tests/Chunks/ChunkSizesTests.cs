using ImageForge.Imaging.Chunks;

namespace ImageForge.Imaging.Tests.Chunks;

public sealed class ChunkSizesTests
{
    private const long GiB = 1L << 30, TiB = 1L << 40;

    [Theory]
    [InlineData(0, 20 * GiB, 256 << 10)]
    [InlineData(60 * GiB, TiB, 256 << 10)]
    [InlineData(256 * GiB, TiB, 256 << 10)]
    [InlineData(300 * GiB, TiB, 512 << 10)]
    [InlineData(TiB, 4 * TiB, 1 << 20)]
    [InlineData(100 * GiB, 16 * TiB, 1 << 20)]
    [InlineData(16 * TiB, 16 * TiB, 16 << 20)]
    [InlineData(long.MaxValue, long.MaxValue, ChunkSizes.Largest)]
    public void Grow_with_the_content_so_that_their_ids_fit_a_small_machine(long used, long disk, int expected)
    {
        var size = ChunkSizes.For(used, disk);
        Assert.Equal(expected, size);
        Assert.True(ChunkSizes.IsValid(size));
    }
}
