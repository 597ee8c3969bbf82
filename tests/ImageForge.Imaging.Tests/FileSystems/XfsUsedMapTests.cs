using System.Globalization;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.FileSystems;
using ImageForge.Imaging.Tests.Doubles;

namespace ImageForge.Imaging.Tests.FileSystems;

/// <summary>Real XFS, made by mkfs.xfs and worked in through the kernel; judged by partclone, xfs_repair and the files.</summary>
public sealed class XfsUsedMapTests
{
    private const long MiB = 1 << 20;

    [Theory]
    [InlineData(320, "")]
    [InlineData(64, "-b size=1024")]
    [InlineData(64, "-b size=2048 -i size=1024")]
    [InlineData(300, "-d agcount=17")]
    [InlineData(96, "-m finobt=0,rmapbt=0,reflink=0,bigtime=0,inobtcount=0 -i sparse=0")]
    [InlineData(96, "-m rmapbt=1,reflink=1,bigtime=1 -i nrext64=1,sparse=1")]
    [InlineData(96, "-s size=4096")]
    [InlineData(96, "-d su=64k,sw=3 -l su=64k", 256 << 10)]
    [InlineData(200, "-l size=32m,su=256k")]
    public void Map_equals_partclones(int mebibytes, string options, long keptEnd = 0)
    {
        using var volume = MadeVolume.Xfs(mebibytes * MiB, options);
        var ours = volume.Identify();
        Assert.Equal((null, "Judge", FileSystemKind.Xfs), (ours.Note, ours.Label, ours.Kind));
        Assert.Contains($"uuid = {ours.Uuid}\n", Shell.Run("xfs_db", "-r", "-c", "sb 0", "-c", "print uuid", volume.Image), StringComparison.Ordinal);
        Judges.AssertAgreesWithPartclone(volume, ours, "xfs", allowedExtra: FreeListBytes(volume.Image) + keptEnd);
        Judges.AssertSurvivesRestore(volume, ours, "xfs_repair", "-n", "-f");
    }

    // Kernels of today no longer mount version 4: mkfs.xfs fills it, and there is no reading the files back.
    [Theory]
    [InlineData("-m crc=0,finobt=0")]
    [InlineData("-m crc=0,finobt=0 -b size=512 -l version=1")]
    public void Map_of_version_4_equals_partclones(string options)
    {
        using var files = new TempFolder();
        File.WriteAllBytes(files["content"], new byte[300_000]);
        File.WriteAllText(files["proto"], "/stand/diag\n0 0\nd--755 0 0\n"
            + string.Concat(Enumerable.Range(0, 60).Select(i => $"file{i} ---644 0 0 {files["content"]}\n")) + "$\n");
        using var volume = MadeVolume.Xfs(64 * MiB, $"{options} -p {files["proto"]}", files: 0);
        var ours = volume.Identify();
        Assert.Equal((null, "Judge", FileSystemKind.Xfs), (ours.Note, ours.Label, ours.Kind));
        Assert.InRange(ours.Used.CountUsed() * ours.BlockSize, 60 * 300_000, 40 * MiB);
        Judges.AssertAgreesWithPartclone(volume, ours, "xfs", allowedExtra: FreeListBytes(volume.Image));
        Judges.AssertCheckerPasses(volume, ours, "xfs_repair", "-n", "-f");
    }

    [Fact]
    public void Sectors_of_4096_bytes_make_blocks_no_smaller()
    {
        using var volume = MadeVolume.Xfs(64 * MiB, "-b size=4096 -s size=4096", files: 100);
        var (small, large) = (volume.Identify(), VolumeProbe.Identify(MemoryDisk.Of(volume.ReadAll(), 4096), 0, volume.Bytes, CancellationToken.None));
        Assert.Equal((null, small.BlockSize, small.Uuid), (large.Note, large.BlockSize, large.Uuid));
        Assert.Equal(small.Used.CountUsed(), large.Used.CountUsed());
    }

    [Fact]
    public void What_lies_behind_a_shorter_file_system_is_unused_but_for_both_ends()
    {
        using var volume = MadeVolume.Xfs(64 * MiB, "-b size=4096", files: 100);
        var alone = volume.Identify();
        using (var file = File.OpenWrite(volume.Image))
            file.SetLength(100 * MiB);
        var ours = volume.Identify();
        Assert.Contains("ends 36 MiB before its partition", ours.Note, StringComparison.Ordinal);
        Assert.Equal(alone.Used.CountUsed() + 2 * MiB / 4096, ours.Used.CountUsed());
        Assert.Equal(2 * MiB / 4096, ours.Used.CountUsed(64 * MiB / 4096, 36 * MiB / 4096));
    }

    /// <summary>The few blocks each allocation group sets aside for its trees (AGFL): partclone leaves them out.</summary>
    internal static long FreeListBytes(string image)
    {
        long Value(string structure, string field) =>
            long.Parse(Shell.Run("xfs_db", "-r", "-c", structure, "-c", $"print {field}", image).Split('=')[1], CultureInfo.InvariantCulture);
        var groups = Value("sb 0", "agcount");
        return Enumerable.Range(0, (int)groups).Sum(group => Value($"agf {group}", "flcount")) * Value("sb 0", "blocksize");
    }
}
