using ImageForge.Imaging.FileSystems;

namespace ImageForge.Imaging.Tests.FileSystems;

/// <summary>Real NTFS, made by mkfs.ntfs and worked in through ntfs-3g; judged by partclone, ntfsfix and the files.</summary>
public sealed class NtfsUsedMapTests
{
    private const long MiB = 1 << 20;

    [Theory]
    [InlineData(8, "-s 512 -c 512", 100)]
    [InlineData(40, "-c 1024", 400)]
    [InlineData(100, "-c 2048", 400)]
    [InlineData(100, "-c 4096", 400)]
    [InlineData(200, "-s 4096 -c 4096", 200)]
    [InlineData(100, "-c 8192", 200)]
    [InlineData(100, "-c 65536", 100)]
    [InlineData(200, "-c 262144", 50)]
    public void Map_equals_partclones_but_for_the_tail(int mebibytes, string options, int files)
    {
        using var volume = MadeVolume.Ntfs(mebibytes * MiB, options, files);
        var ours = volume.Identify();
        Assert.Null(ours.Note);
        Assert.Equal((FileSystemKind.Ntfs, "Judge"), (ours.Kind, ours.Label));
        // The backup boot sector lies behind the last whole cluster; partclone leaves up to one cluster and it out of its map.
        Judges.AssertAgreesWithPartclone(volume, ours, "ntfs", allowedExtra: 2 * ours.BlockSize);
        Judges.AssertSurvivesRestore(volume, ours, "ntfsfix", "-n");
    }

    [Fact]
    public void Clusters_above_64_KiB_are_written_as_negative_powers_of_two()
    {
        using var volume = MadeVolume.Ntfs(3000 * MiB, "-c 2097152", files: 20);
        var ours = volume.Identify();
        Assert.Null(ours.Note);
        Assert.Equal(2 << 20, ours.BlockSize);
        Judges.AssertAgreesWithPartclone(volume, ours, "ntfs", allowedExtra: 2 * ours.BlockSize);
    }

    [Fact]
    public void Backup_boot_sector_at_the_end_is_used()
    {
        using var volume = MadeVolume.Ntfs(20 * MiB, "-c 4096", files: 0);
        var ours = volume.Identify();
        Assert.True(ours.Used[(volume.Bytes - 1) / ours.BlockSize]);
        Assert.True(ours.Used[0]);
    }
}
