using ImageForge.Imaging.FileSystems;

namespace ImageForge.Imaging.Tests.FileSystems;

/// <summary>Real ext2/3/4, made by mke2fs and worked in through the kernel; judged by partclone, dumpe2fs, e2fsck and the files.</summary>
public sealed class ExtUsedMapTests
{
    private const long MiB = 1 << 20;

    [Theory]
    [InlineData("ext2", 48, "-b 1024")]
    [InlineData("ext2", 48, "-b 4096 -O ^resize_inode")]
    [InlineData("ext2", 24, "-r 0")]
    [InlineData("ext3", 64, "-b 1024")]
    [InlineData("ext3", 64, "-b 4096")]
    [InlineData("ext4", 64, "-b 1024")]
    [InlineData("ext4", 300, "-b 1024")]
    [InlineData("ext4", 64, "-b 2048")]
    [InlineData("ext4", 600, "-b 4096")]
    [InlineData("ext4", 600, "-b 4096 -O ^64bit")]
    [InlineData("ext4", 200, "-b 1024 -O ^64bit,^metadata_csum,uninit_bg")]
    [InlineData("ext4", 200, "-b 1024 -O ^metadata_csum,^uninit_bg")]
    [InlineData("ext4", 200, "-b 1024 -O meta_bg,^resize_inode")]
    [InlineData("ext4", 600, "-b 4096 -O meta_bg,^resize_inode -g 2048")]
    [InlineData("ext4", 200, "-b 1024 -O ^flex_bg")]
    [InlineData("ext4", 200, "-b 1024 -O sparse_super2")]
    [InlineData("ext4", 200, "-b 1024 -O ^sparse_super,^resize_inode")]
    [InlineData("ext4", 300, "-b 4096 -I 256 -N 200000 -O inline_data")]
    [InlineData("ext4", 100, "-b 4096 -O ^has_journal")]
    [InlineData("ext4", 300, "-b 4096 -G 4 -E lazy_itable_init=1")]
    public void Map_equals_partclones_and_dumpe2fs(string type, int mebibytes, string options)
    {
        using var volume = MadeVolume.Ext(type, mebibytes * MiB, options);
        var ours = volume.Identify();
        Assert.Null(ours.Note);
        Assert.Equal(("Judge", type), (ours.Label, ours.Kind.ToString().ToLowerInvariant()));
        Assert.Contains($"Filesystem UUID:          {ours.Uuid}\n", Shell.Run("dumpe2fs", "-h", volume.Image), StringComparison.Ordinal);
        Judges.AssertAgreesWithPartclone(volume, ours, "extfs", allowedExtra: 0);
        Judges.AssertFreeBlocksEqualDumpe2fs(volume, ours);
        Judges.AssertSurvivesRestore(volume, ours, "e2fsck", "-fn");
    }

    // partclone reads a bitmap of clusters as one of blocks: with bigalloc it is no judge.
    [Theory]
    [InlineData(300, "-b 4096 -O bigalloc -C 16384")]
    [InlineData(300, "-b 4096 -O bigalloc -C 65536")]
    [InlineData(200, "-b 1024 -O bigalloc -C 8192")]
    [InlineData(201, "-b 2048 -O bigalloc,^has_journal -C 32768")]
    public void Map_of_bigalloc_equals_dumpe2fs(int mebibytes, string options)
    {
        using var volume = MadeVolume.Ext("ext4", mebibytes * MiB + 5120, options);
        var ours = volume.Identify();
        Assert.Null(ours.Note);
        Judges.AssertFreeBlocksEqualDumpe2fs(volume, ours);
        Judges.AssertSurvivesRestore(volume, ours, "e2fsck", "-fn");
    }

    // Kernels with 4 KiB pages of today cannot mount these: no files in them, only mke2fs' own metadata.
    [Theory]
    [InlineData(200, "-b 16384")]
    [InlineData(400, "-b 65536")]
    [InlineData(600, "-b 4096 -O quota")]
    public void Map_of_what_this_kernel_cannot_mount_equals_dumpe2fs(int mebibytes, string options)
    {
        using var volume = MadeVolume.Ext("ext4", mebibytes * MiB, options, files: 0);
        var ours = volume.Identify();
        Assert.Null(ours.Note);
        Judges.AssertFreeBlocksEqualDumpe2fs(volume, ours);
    }

    [Fact]
    public void Tail_behind_a_smaller_file_system_is_used()
    {
        using var volume = MadeVolume.Ext("ext4", 64 * MiB, "-b 4096");
        Shell.Run("resize2fs", "-f", volume.Image, "40M");
        // resize2fs shortened the file as well; a partition would not have moved.
        using (var file = File.OpenWrite(volume.Image))
            file.SetLength(volume.Bytes);
        var ours = volume.Identify();
        Assert.Equal(FileSystemKind.Ext4, ours.Kind);
        Assert.Equal(24 * MiB / 4096, ours.Used.CountUsed(40 * MiB / 4096, 24 * MiB / 4096));
        Assert.InRange(ours.Used.CountUsed(0, 40 * MiB / 4096), 1, 40 * MiB / 4096 - 1);
    }

    [Theory]
    [InlineData("feature needs_recovery", "journal needs recovery")]
    [InlineData("state 0", "not unmounted cleanly")]
    [InlineData("state 3", "marked as having errors")]
    public void A_map_that_may_lag_behind_is_not_used(string edit, string note)
    {
        using var volume = MadeVolume.Ext("ext4", 16 * MiB, "-b 1024", files: 0);
        Shell.Run("debugfs", "-w", "-R", edit.StartsWith("state", StringComparison.Ordinal) ? "ssv " + edit : edit, volume.Image);
        var ours = volume.Identify();
        Assert.Equal(FileSystemKind.Ext4, ours.Kind);
        Assert.Contains(note, ours.Note, StringComparison.Ordinal);
        Assert.Equal(ours.Used.BlockCount, ours.Used.CountUsed());
    }

    [Fact]
    public void A_bitmap_that_contradicts_its_descriptor_is_not_believed()
    {
        using var volume = MadeVolume.Ext("ext4", 16 * MiB, "-b 1024 -O ^metadata_csum", files: 0);
        Assert.Null(volume.Identify().Note);
        Shell.Run("debugfs", "-w", "-R", "freeb 20", volume.Image);
        Shell.Run("debugfs", "-w", "-R", "set_bg 0 free_blocks_count 1", volume.Image);
        var ours = volume.Identify();
        Assert.Equal(FileSystemKind.Unknown, ours.Kind);
        Assert.NotNull(ours.Note);
        Assert.Equal(ours.Used.BlockCount, ours.Used.CountUsed());
    }
}
