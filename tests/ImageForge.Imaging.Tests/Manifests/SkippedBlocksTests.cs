using ImageForge.Imaging.Disks;
using ImageForge.Imaging.FileSystems;
using ImageForge.Imaging.Manifests;

namespace ImageForge.Imaging.Tests.Manifests;

/// <summary>Used blocks that a capture does not read: they stay used, and are zero.</summary>
public sealed class SkippedBlocksTests
{
    private const int Block = 4096, Chunk = 64 << 10, PerChunk = Chunk / Block;

    [Fact]
    public void Skipped_blocks_are_not_read_and_stay_used()
    {
        // Chunk 0: part of what is used is skipped; 1: all of it; 2: all used, part skipped; 3: short, its cut block skipped.
        var used = new BlockMap(3 * PerChunk + 3);
        used.Set(0, 10);
        used.Set(PerChunk, 4);
        used.Set(2 * PerChunk, PerChunk + 3);
        var skipped = new BlockMap(used.BlockCount);
        skipped.Set(2, 5);
        skipped.Set(PerChunk, 4);
        skipped.Set(2 * PerChunk + 8, 4);
        skipped.Set(3 * PerChunk + 2, 1);
        var builder = Builder(3 * Chunk + 2 * Block + 512, used, skipped, Block);

        Assert.Equal([5 * Block, 0, 12 * Block, 2 * Block], Enumerable.Range(0, 4).Select(i => (int)builder.ReadBytesOf(i)));
        Assert.Equal(19 * Block, builder.ReadBytes);
        Assert.Equal(new byte[] { 0b1000_0011, 0b0000_0011 }, builder.ReadBitsOf(0));
        Assert.Equal(new byte[] { 0xFF, 0xF0 }, builder.ReadBitsOf(2));
        Assert.Equal(new byte[] { 0b011 }, builder.ReadBitsOf(3));
        var volume = builder.Build();
        Assert.Equal((10 + 4 + PerChunk + 2) * Block + 512, volume.UsedBytes);
        Assert.Equal(new byte[] { 0xFF, 0x03 }, volume[0].UsedBits.ToArray());
        Assert.Equal(ChunkKind.Zero, volume[1].Kind);
        Assert.Equal(new byte[] { 0x0F, 0 }, volume[1].UsedBits.ToArray());
    }

    [Fact]
    public void Blocks_larger_than_a_chunk_are_skipped_chunk_by_chunk()
    {
        var used = BlockMap.AllUsed(3);
        var skipped = new BlockMap(3);
        skipped.Set(1, 1);
        var builder = Builder(3 * 4 * Chunk, used, skipped, 4 * Chunk);

        Assert.Equal(8 * Chunk, builder.ReadBytes);
        Assert.Equal([4, 5, 6, 7], Enumerable.Range(0, 12).Where(i => builder.ReadBytesOf(i) == 0));
        Assert.Empty(builder.ReadBitsOf(3));
        Assert.Equal(12 * Chunk, builder.Build().UsedBytes);
    }

    private static ManifestVolumeBuilder Builder(long length, BlockMap used, BlockMap skipped, int block) => new(
        new Partition(1, 1 << 20, length, "0x07", null, null, 0),
        new VolumeContent(FileSystemKind.Ntfs, block, used, null, null, null) { Skipped = skipped }, Chunk);
}
