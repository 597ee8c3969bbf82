using ImageForge.Imaging.Disks;
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
    [InlineData("ext2", 32, "-b 1024 -O none")]
    [InlineData("ext2", 32, "-b 2048 -O none,has_journal -I 128")]
    [InlineData("ext3", 64, "-b 1024")]
    [InlineData("ext3", 64, "-b 4096")]
    [InlineData("ext4", 64, "-b 1024 -O 64bit,flex_bg,metadata_csum,extent")]
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
    [InlineData("ext4", 200, "-b 1024 -O meta_bg,^resize_inode,64bit,^flex_bg,sparse_super2")]
    [InlineData("ext4", 200, "-b 4096 -O ea_inode,large_dir,orphan_file,metadata_csum_seed")]
    public void Map_equals_partclones_and_dumpe2fs(string type, int mebibytes, string options)
    {
        using var volume = MadeVolume.Ext(type, mebibytes * MiB, options);
        var ours = volume.Identify();
        Assert.Null(ours.Note);
        AssertHasFeatures(volume, options);
        Assert.Equal(("Judge", options.Contains("has_journal -I", StringComparison.Ordinal) ? "ext3" : type), (ours.Label, ours.Kind.ToString().ToLowerInvariant()));
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
        AssertHasFeatures(volume, options);
        Judges.AssertFreeBlocksEqualDumpe2fs(volume, ours);
        Judges.AssertSurvivesRestore(volume, ours, "e2fsck", "-fn");
    }

    // Kernels with 4 KiB pages of today cannot mount these: no files in them, only mke2fs' own metadata.
    [Theory]
    [InlineData(200, "-b 16384")]
    [InlineData(400, "-b 65536")]
    [InlineData(600, "-b 4096 -O quota")]
    [InlineData(200, "-b 4096 -O mmp")]
    public void Map_of_what_this_kernel_cannot_mount_equals_dumpe2fs(int mebibytes, string options)
    {
        using var volume = MadeVolume.Ext("ext4", mebibytes * MiB, options, files: 0);
        var ours = volume.Identify();
        Assert.Null(ours.Note);
        Judges.AssertFreeBlocksEqualDumpe2fs(volume, ours);
    }

    [Fact]
    public void A_journal_on_another_device_is_noted_and_the_map_is_read_all_the_same()
    {
        using var journal = new Disks.LoopDevice(16 * MiB);
        Shell.Run("mke2fs", "-q", "-F", "-b", "4096", "-O", "journal_dev", journal.Node);
        using var volume = MadeVolume.Ext("ext4", 100 * MiB, $"-b 4096 -J device={journal.Node}", files: 0);
        var ours = volume.Identify();
        Assert.Equal((FileSystemKind.Ext4, VolumeState.Clean), (ours.Kind, ours.State));
        Assert.Contains("journal is on another device", ours.Note, StringComparison.Ordinal);
        Judges.AssertFreeBlocksEqualDumpe2fs(volume, ours);
        using var disk = LinuxBlockDevice.OpenForReading(journal.Node);
        Assert.Contains("external ext4 journal", VolumeProbe.Identify(disk, 0, disk.SizeBytes, CancellationToken.None).Note, StringComparison.Ordinal);
    }

    /// <summary>That mke2fs really made what the case is named after.</summary>
    private static void AssertHasFeatures(MadeVolume volume, string options)
    {
        var arguments = options.Split(' ');
        var wanted = Array.IndexOf(arguments, "-O") is var at and >= 0 ? arguments[at + 1].Split(',') : [];
        var line = Shell.Run("dumpe2fs", "-h", volume.Image).Split('\n').Single(text => text.StartsWith("Filesystem features:", StringComparison.Ordinal));
        var features = line["Filesystem features:".Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        foreach (var feature in wanted.Where(name => name != "none"))
        {
            if (feature.StartsWith('^'))
                Assert.DoesNotContain(feature[1..], features);
            else
                Assert.Contains(feature, features);
        }
    }

    [Fact]
    public void Of_what_lies_behind_a_smaller_file_system_both_ends_are_used()
    {
        using var volume = MadeVolume.Ext("ext4", 64 * MiB, "-b 4096");
        Shell.Run("resize2fs", "-f", volume.Image, "40M");
        // resize2fs shortened the file as well; a partition would not have moved.
        using (var file = File.OpenWrite(volume.Image))
            file.SetLength(volume.Bytes);
        var ours = volume.Identify();
        Assert.Equal(FileSystemKind.Ext4, ours.Kind);
        Assert.Equal(2 * MiB / 4096, ours.Used.CountUsed(40 * MiB / 4096, 24 * MiB / 4096));
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
