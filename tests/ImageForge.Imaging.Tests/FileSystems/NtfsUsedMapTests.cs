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
    [InlineData(100, "-c 16384", 100)]
    [InlineData(100, "-c 32768", 100)]
    [InlineData(100, "-c 65536", 100)]
    [InlineData(100, "-c 131072", 40)]
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

    [Theory]
    [InlineData("-c 512")]
    [InlineData("-c 4096")]
    public void Compressed_and_sparse_files_come_back(string options)
    {
        using var volume = MadeVolume.Ntfs(60 * MiB, options + " -C", files: 20);
        volume.WithMounted(root =>
        {
            var text = System.Text.Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, 200_000)));
            for (var i = 0; i < 8; i++)
                File.WriteAllBytes(Path.Combine(root, $"text-{i}"), text.AsSpan(i * 1000, 100_000 + i * 70_000).ToArray());
            // Not compressible: stored as it is, in a file that is marked compressed all the same.
            File.WriteAllBytes(Path.Combine(root, "random"), MemoryFiles.Content(1, 400_000));
            using var sparse = File.OpenHandle(Path.Combine(root, "sparse"), FileMode.Create, FileAccess.Write);
            for (long at = 0; at < 30 * MiB; at += 3 * MiB)
                RandomAccess.Write(sparse, text.AsSpan(0, 30_000), at);
        }, "ntfs-3g", "-o", "compression");
        Assert.Contains("Compressed size", Shell.Run("ntfsinfo", "-F", "/text-0", "-v", volume.Image), StringComparison.Ordinal);
        // Holes: runs without a place.
        Assert.Matches(@"\d+\s+-1\s+\d+", Shell.Run("ntfscluster", "-F", "/sparse", volume.Image));
        var ours = volume.Identify();
        Assert.Null(ours.Note);
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
