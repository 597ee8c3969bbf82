using ImageForge.Imaging.Disks;
using ImageForge.Imaging.FileSystems;

namespace ImageForge.Imaging.Tests.FileSystems;

/// <summary>Real btrfs, made by mkfs.btrfs and worked in through the kernel; judged by btrfs-progs' own dump of the trees, btrfs check and the files.</summary>
public sealed class BtrfsUsedMapTests
{
    private const long MiB = 1 << 20;

    [Theory]
    [InlineData(300, "")]
    [InlineData(200, "-m single -n 4096")]
    [InlineData(300, "-m dup -d dup -n 65536")]
    [InlineData(120, "--mixed")]
    [InlineData(200, "--csum xxhash")]
    [InlineData(200, "--csum sha256")]
    [InlineData(200, "--csum blake2")]
    [InlineData(200, "-O ^no-holes,^skinny-metadata,^extref -R ^free-space-tree")]
    public void Map_equals_the_extent_tree(int mebibytes, string options)
    {
        using var volume = MadeVolume.Btrfs(mebibytes * MiB, options);
        AssertRead(volume);
    }

    [Fact]
    public void Map_equals_the_extent_tree_after_a_life_of_work()
    {
        using var volume = MadeVolume.Btrfs(400 * MiB, "-m dup", mount: "loop,compress=zstd");
        volume.CutPowerDuring(folder =>
        {
            Shell.Run("btrfs", "subvolume", "snapshot", folder, Path.Combine(folder, "snapshot"));
            Shell.Run("cp", "--reflink=always", Path.Combine(folder, "first"), Path.Combine(folder, "third"));
            Shell.Run("fallocate", "-l", "3M", Path.Combine(folder, "reserved"));
            Shell.Run("fallocate", "-p", "-o", "64K", "-l", "64K", Path.Combine(folder, "first"));
            // Moves every chunk: logical addresses and places on the device no longer go together.
            Shell.Run("btrfs", "balance", "start", "--full-balance", folder);
            Shell.Run("btrfs", "filesystem", "resize", "350M", folder);
        });
        Shell.Run("btrfstune", "-f", "-m", volume.Image);
        var ours = AssertRead(volume, keptEnd: 2 * MiB);
        Assert.Equal(2 * MiB / 4096, ours.Used.CountUsed(350 * MiB / 4096, 50 * MiB / 4096));
    }

    [Fact]
    public void Sectors_of_4096_bytes_give_the_same_map()
    {
        using var volume = MadeVolume.Btrfs(120 * MiB, "--mixed", files: 50);
        var (small, large) = (volume.Identify(), VolumeProbe.Identify(MemoryDisk.Of(volume.ReadAll(), 4096), 0, volume.Bytes, CancellationToken.None));
        Assert.Equal((null, small.BlockSize, small.Uuid), (large.Note, large.BlockSize, large.Uuid));
        Assert.Equal(small.Used.CountUsed(), large.Used.CountUsed());
    }

    [Theory]
    [InlineData("-s 65536 -n 65536")]
    [InlineData("-s 16384 -n 32768")]
    public void Sectors_larger_than_a_page_are_read(string options)
    {
        // No kernel with 4 KiB pages mounts these: only mkfs' own work in them.
        using var volume = MadeVolume.Btrfs(300 * MiB, options, files: 0);
        var ours = volume.Identify();
        Assert.Null(ours.Note);
        // 4 KiB of each copy of the superblock count as a sector.
        Judges.AssertAgrees(volume, ours, BtrfsJudge.UsedRanges(volume.Image), allowedExtra: ours.BlockSize - 4096);
        Judges.AssertCheckerPasses(volume, ours, "btrfs", "check");
    }

    private static VolumeContent AssertRead(MadeVolume volume, long keptEnd = 0)
    {
        var ours = volume.Identify();
        Assert.Equal((keptEnd > 0, "Judge", FileSystemKind.Btrfs), (ours.Note?.StartsWith("The file system ends", StringComparison.Ordinal) ?? false, ours.Label, ours.Kind));
        Assert.Matches($@"\nfsid\s+{ours.Uuid}\n", Shell.Run("btrfs", "inspect-internal", "dump-super", volume.Image));
        Judges.AssertAgrees(volume, ours, BtrfsJudge.UsedRanges(volume.Image), keptEnd);
        Judges.AssertSurvivesRestore(volume, ours, "btrfs", "check", "--check-data-csum");
        return ours;
    }
}
