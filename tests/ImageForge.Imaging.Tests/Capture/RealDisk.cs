using System.Security.Cryptography;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Tests.Doubles;
using ImageForge.Imaging.Tests.FileSystems;

namespace ImageForge.Imaging.Tests.Capture;

/// <summary>A GPT disk in a file with an ESP (FAT32), an ext4 root and an NTFS partition, each with some hundred real files.</summary>
public sealed class RealDisk : IDisposable
{
    private const long Mib = 1 << 20;

    private static readonly string[][] s_usual = [["fsck.fat", "-n"], ["fsck.ext4", "-fn"], ["ntfsfix", "-n"]];

    private readonly string[][] _checkers;
    private readonly MadeVolume[] _volumes;
    private readonly (long Offset, long Length)[] _places;

    public RealDisk() : this(512) { }

    internal RealDisk(int sectorSize) : this(sectorSize, s_usual, sectorSize == 512
        ? [MadeVolume.Fat(40 * Mib, "-F 32"), MadeVolume.Ext("ext4", 64 * Mib, ""), MadeVolume.Ntfs(48 * Mib, "")]
        : [MadeVolume.Fat(40 * Mib, "-S 4096 -s 1"), MadeVolume.Ext("ext4", 64 * Mib, "-b 4096"), MadeVolume.Ntfs(48 * Mib, "-s 4096 -c 4096")])
    {
    }

    private RealDisk(int sectorSize, string[][] checkers, MadeVolume[] volumes)
    {
        (SectorSize, _checkers, _volumes) = (sectorSize, checkers, volumes);
        var at = Mib;
        _places = [.. _volumes.Select(v => (Place: (at, v.Bytes), Next: at += v.Bytes + Mib).Place)];
        using (var disk = ImageFileDevice.Create(Image, at + Mib, sectorSize))
        {
            TestGpt.WriteTo(disk, _places);
            for (var i = 0; i < _volumes.Length; i++)
                Copy(_volumes[i].Image, 0, disk, _places[i].Offset, _places[i].Length);
        }
        if (sectorSize == 512)
            Shell.Run("sgdisk", "-t", "1:ef00", "-t", "2:8304", "-t", "3:0700", Image);
    }

    /// <summary>XFS, btrfs and F2FS instead.</summary>
    internal static RealDisk OfLinux() => new(512, [["xfs_repair", "-n", "-f"], ["btrfs", "check", "--check-data-csum"], ["fsck.f2fs", "--dry-run"]],
        [MadeVolume.Xfs(64 * Mib, ""), MadeVolume.Btrfs(120 * Mib, "--mixed"), MadeVolume.F2fs(64 * Mib, "")]);

    internal TempFolder Folder { get; } = new();

    public int SectorSize { get; }

    public string Image => Folder["disk.img"];

    public string Hash() => HashOf(Image);

    /// <summary>The checkers of other people find nothing on any volume of <paramref name="disk"/>, and every file reads the same.</summary>
    public void AssertEqualFileSystems(string disk)
    {
        if (SectorSize == 512)
            Assert.Contains("No problems found", Shell.Run("sgdisk", "-v", disk), StringComparison.Ordinal);
        using var source = ImageFileDevice.OpenForReading(disk, SectorSize);
        for (var i = 0; i < _volumes.Length; i++)
        {
            var volume = Folder["volume"];
            File.Delete(volume);
            using (var copy = ImageFileDevice.Create(volume, _places[i].Length, SectorSize))
                Copy(source, _places[i].Offset, copy, 0, _places[i].Length);
            Shell.Run(_checkers[i][0], [.. _checkers[i][1..], volume]);
            var expected = _volumes[i].HashFiles(_volumes[i].Image);
            Assert.True(expected.Count > 10, $"only {expected.Count} files to compare");
            Assert.Equal(expected, _volumes[i].HashFiles(volume));
        }
    }

    public void Dispose()
    {
        foreach (var volume in _volumes)
            volume.Dispose();
        Folder.Dispose();
    }

    internal static string HashOf(string path)
    {
        using var file = File.OpenRead(path);
        return Convert.ToHexString(SHA256.HashData(file));
    }

    private static void Copy(string from, long at, ImageFileDevice to, long offset, long length)
    {
        using var source = ImageFileDevice.OpenForReading(from, to.SectorSize);
        Copy(source, at, to, offset, length);
    }

    private static void Copy(ImageFileDevice from, long at, ImageFileDevice to, long offset, long length)
    {
        using var buffer = AlignedBuffer.Rent(1 << 20);
        for (long done = 0; done < length; done += buffer.Length)
        {
            var part = buffer.Span[..(int)Math.Min(buffer.Length, length - done)];
            from.Read(at + done, part);
            to.Write(offset + done, part);
        }
    }
}
