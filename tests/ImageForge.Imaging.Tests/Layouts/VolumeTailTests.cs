using ImageForge.Imaging.Disks;
using ImageForge.Imaging.FileSystems;
using ImageForge.Imaging.Tests.FileSystems;

namespace ImageForge.Imaging.Tests.Layouts;

/// <summary>File systems that end 12 MiB before their partition.</summary>
public sealed class VolumeTailTests
{
    private const long Mib = 1 << 20, Tail = 12 * Mib;

    /// <summary>A partition of its own with a file system that does not fill it and something else behind it.</summary>
    private static (MadeDisk Disk, long End) Made(string kind)
    {
        using var volume = kind switch
        {
            "fat" => MadeVolume.Fat(8 * Mib, "-F 16 -s 1", files: 8),
            "ext4" => MadeVolume.Ext("ext4", 16 * Mib, "", files: 20),
            "ntfs" => MadeVolume.Ntfs(16 * Mib, "-c 4096", files: 20),
            "exfat" => MadeVolume.ExFat(16 * Mib, ""),
            "xfs" => MadeVolume.Xfs(320 * Mib, ""),
            "btrfs" => MadeVolume.Btrfs(128 * Mib, ""),
            _ => MadeVolume.F2fs(64 * Mib, ""),
        };
        var disk = new MadeDisk(volume.Bytes + Tail);
        disk.CopyIn(volume.Image, 0);
        for (var at = volume.Bytes; at < volume.Bytes + Tail; at += Mib)
            disk.Write(at + 4096, [0x5A]);
        return (disk, volume.Bytes);
    }

    private static VolumeContent Identify(MadeDisk disk)
    {
        using var device = disk.Read();
        return VolumeProbe.Identify(device, 0, device.SizeBytes, CancellationToken.None);
    }

    [Theory]
    [InlineData("fat")]
    [InlineData("ext4")]
    [InlineData("ntfs")]
    [InlineData("exfat")]
    [InlineData("xfs")]
    [InlineData("btrfs")]
    [InlineData("f2fs")]
    public void The_first_and_the_last_mebibyte_behind_it_are_kept_and_the_note_says_so(string kind)
    {
        var (disk, end) = Made(kind);
        using (disk)
        {
            var content = Identify(disk);
            Assert.NotEqual(FileSystemKind.Unknown, content.Kind);
            bool Used(long at) => content.Used[at / content.BlockSize];
            // NTFS calls itself a cluster shorter than it was made: that is where its second boot sector lies.
            Assert.True(Used(end) && Used(end + Mib - (64 << 10)));
            Assert.True(Used(end + Tail - Mib) && Used(end + Tail - 1));
            for (var at = end + 2 * Mib; at < end + Tail - 2 * Mib; at += 64 << 10)
                Assert.False(Used(at), $"byte {at - end} behind the file system");
            Assert.Contains("ends 12 MiB before its partition", content.Note, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("Linux RAID", 0xA92B4EFCu, 0x10000)]
    [InlineData("Linux RAID", 0xA92B4EFCu, 0x2000)]
    [InlineData("DDF", 0x11DE11DEu, 512)]
    [InlineData("DRBD", 0x6B027483u, 4096 - 60)]
    [InlineData("last 128 KiB", 0x69726576u, 128 << 10)]
    [InlineData("last 128 KiB", 1u, 4)]
    public void Everything_behind_it_is_kept_where_metadata_of_something_else_lies(string name, uint mark, int fromEnd)
    {
        var (disk, end) = Made("ext4");
        using (disk)
        {
            disk.Write(end + Tail - fromEnd, BitConverter.GetBytes(mark));
            var content = Identify(disk);
            Assert.True(content.Used[(end + Tail / 2) / content.BlockSize]);
            Assert.Contains(name, content.Note, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("ntfs")]
    [InlineData("ext4")]
    public async Task It_comes_back_with_what_is_kept_behind_it(string kind)
    {
        var (disk, end) = Made(kind);
        using (disk)
        {
            var (target, manifest) = await RoundTrip.RunAsync(disk);
            using (target)
            {
                Assert.Equal(disk.Bytes(end, (int)Mib - (64 << 10)), target.Bytes(end, (int)Mib - (64 << 10)));
                Assert.Equal(disk.Bytes(end + Tail - Mib, (int)Mib), target.Bytes(end + Tail - Mib, (int)Mib));
                Assert.Equal(0xFF, target.Bytes(end + 4 * Mib + 4096, 1)[0]);
                Assert.Equal(PartitionScheme.None, manifest.Scheme);
                // ntfsfix looks for the second boot sector at the partition's end, where it was on the source only before the partition grew.
                var judged = target.CopyOut(new Partition(0, 0, end, "", null, null, 0));
                Shell.Run(kind == "ntfs" ? "ntfsfix" : "fsck.ext4", kind == "ntfs" ? "-n" : "-fn", judged);
            }
        }
    }
}
