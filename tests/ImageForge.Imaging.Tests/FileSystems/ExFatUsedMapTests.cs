using ImageForge.Imaging.Disks;
using ImageForge.Imaging.FileSystems;
using ImageForge.Imaging.Manifests;

namespace ImageForge.Imaging.Tests.FileSystems;

/// <summary>Real exFAT, made by mkfs.exfat and worked in through FUSE; judged by partclone, fsck.exfat, blkid and the files.</summary>
public sealed class ExFatUsedMapTests
{
    private const long MiB = 1 << 20;

    [Theory]
    [InlineData(40, "", 512)]
    [InlineData(17, "-c 512", 512)]
    [InlineData(64, "-c 32K", 512)]
    [InlineData(64, "-c 4K -b 64K", 512)]
    [InlineData(160, "-c 1M", 512)]
    [InlineData(64, "--pack-bitmap", 512)]
    [InlineData(40, "", 4096)]
    [InlineData(100, "-c 128K", 4096)]
    public void Map_equals_partclones(int mebibytes, string options, int sectorSize)
    {
        using var volume = MadeVolume.ExFat(mebibytes * MiB, options, files: 50, sectorSize);
        var ours = volume.Identify();
        Assert.Null(ours.Note);
        Assert.Equal((FileSystemKind.ExFat, "Judge"), (ours.Kind, ours.Label));
        Assert.Equal(ours.Uuid, Shell.Run("blkid", "-p", "-s", "UUID", "-o", "value", volume.Image).Trim());
        // What is left of the volume behind the last whole cluster counts as used with us.
        Judges.AssertAgreesWithPartclone(volume, ours, "exfat", allowedExtra: 1 << 20);
        Judges.AssertSurvivesRestore(volume, ours, "fsck.exfat", "-n");
    }

    [Fact]
    public void Clusters_of_32_MiB_are_blocks_larger_than_any_chunk()
    {
        using var volume = MadeVolume.ExFat(384 * MiB, "-c 32M -b 32M", files: 0);
        var ours = volume.Identify();
        Assert.Equal((null, 32 << 20), (ours.Note, ours.BlockSize));
        Judges.AssertAgreesWithPartclone(volume, ours, "exfat", allowedExtra: 0);
        Shell.Run("fsck.exfat", "-n", volume.CopyWithGarbageInUnused(ours));
        var builder = new ManifestVolumeBuilder(new Partition(1, 0, volume.Bytes, "", null, null, 0), ours, 1 << 20);
        Assert.Equal((1 << 20, ours.Used.CountUsed() << 25), (builder.Header.BlockSize, builder.ReadBytes));
    }

    [Fact]
    public void A_bitmap_in_pieces_is_followed_through_the_fat()
    {
        using var volume = MadeVolume.ExFat(17 * MiB, "-c 512", files: 10);
        var before = volume.Identify();
        var bytes = volume.ReadAll();
        var made = new MadeExFat(bytes);
        var moved = made.ScatterBitmap();
        Assert.True(moved.Count > 4, $"only {moved.Count} clusters in the bitmap");
        var after = Identify(bytes);
        Assert.Null(after.Note);
        for (long block = 0; block < before.Used.BlockCount; block++)
            Assert.Equal(before.Used[block] || moved.Contains(block * before.BlockSize), after.Used[block]);
    }

    [Fact]
    public void Of_two_bitmaps_what_either_keeps_is_kept()
    {
        using var volume = MadeVolume.ExFat(17 * MiB, "-c 512", files: 10);
        var before = volume.Identify();
        var bytes = volume.ReadAll();
        var made = new MadeExFat(bytes);
        var (onlyFirst, onlySecond) = made.AddSecondFatAndBitmap();
        foreach (var active in (int[])[0, 1])
        {
            made.SetFlags(active);
            var after = Identify(bytes);
            Assert.Null(after.Note);
            Assert.True(after.Used[onlyFirst / after.BlockSize] && after.Used[onlySecond / after.BlockSize], $"with FAT {active} in use");
            for (long block = 0; block < before.Used.BlockCount; block++)
                Assert.True(after.Used[block] || !before.Used[block], $"block {block} was lost with FAT {active} in use");
            Assert.InRange(after.Used.CountUsed(), 1, after.Used.BlockCount * 3 / 4);
        }
    }

    [Fact]
    public void A_dirty_volume_is_taken_whole()
    {
        using var volume = MadeVolume.ExFat(17 * MiB, "", files: 3);
        var bytes = volume.ReadAll();
        new MadeExFat(bytes).SetFlags(2);
        var content = Identify(bytes);
        Assert.Equal((FileSystemKind.ExFat, "Judge"), (content.Kind, content.Label));
        Assert.Contains("not unmounted cleanly", content.Note, StringComparison.Ordinal);
        Assert.Equal(content.Used.BlockCount, content.Used.CountUsed());
    }

    [Fact]
    public void A_media_failure_is_noted_and_the_map_still_read()
    {
        using var volume = MadeVolume.ExFat(17 * MiB, "", files: 3);
        var bytes = volume.ReadAll();
        new MadeExFat(bytes).SetFlags(4);
        var content = Identify(bytes);
        Assert.Contains("disk error", content.Note, StringComparison.Ordinal);
        Assert.InRange(content.Used.CountUsed(), 1, content.Used.BlockCount - 1);
    }

    [Theory]
    [InlineData("checksum")]
    [InlineData("root is free")]
    [InlineData("bitmap is free")]
    [InlineData("bitmap goes in circles")]
    [InlineData("root goes in circles")]
    public void What_contradicts_itself_is_taken_whole(string damage)
    {
        using var volume = MadeVolume.ExFat(17 * MiB, "-c 512", files: 3);
        var bytes = volume.ReadAll();
        new MadeExFat(bytes).Damage(damage);
        var content = Identify(bytes);
        Assert.Equal(FileSystemKind.Unknown, content.Kind);
        Assert.Contains("Looks like exFAT", content.Note, StringComparison.Ordinal);
        Assert.Equal(content.Used.BlockCount, content.Used.CountUsed());
    }

    private static VolumeContent Identify(byte[] bytes) => VolumeProbe.Identify(MemoryDisk.Of(bytes), 0, bytes.Length, CancellationToken.None);
}
