using ImageForge.Imaging.FileSystems;
using ImageForge.Imaging.Tests.FileSystems;

namespace ImageForge.Imaging.Tests.Matrix;

/// <summary>A row of the support matrix: how its volume is made, and who judges the restored one.</summary>
/// <param name="Make">For sectors of 512 or 4096 bytes.</param>
/// <param name="Taken">What a capture reads of it, in the words of the table.</param>
/// <param name="Judge">A program that must be content with the restored volume; its path is the last argument.</param>
/// <param name="HasFiles">Every file is compared as well.</param>
/// <param name="On4096">Whether its formatter knows sectors of 4096 bytes.</param>
internal sealed record MatrixRow(
    string Name, FileSystemKind Kind, string Taken, Func<int, MadeVolume> Make, IReadOnlyList<string> Judge, bool HasFiles = true, bool On4096 = true)
{
    private const long MiB = 1 << 20;
    private const string UsedBlocks = "used blocks";

    public static IReadOnlyList<MatrixRow> All { get; } =
    [
        new("NTFS", FileSystemKind.Ntfs, UsedBlocks, s => MadeVolume.Ntfs(32 * MiB, s == 4096 ? "-s 4096 -c 4096" : "", 80), ["ntfsfix", "-n"]),
        new("NTFS, 64 KiB clusters", FileSystemKind.Ntfs, UsedBlocks, s => MadeVolume.Ntfs(48 * MiB, s == 4096 ? "-s 4096 -c 65536" : "-c 65536", 60), ["ntfsfix", "-n"]),
        new("ext2", FileSystemKind.Ext2, UsedBlocks, s => MadeVolume.Ext("ext2", 24 * MiB, s == 4096 ? "-b 4096" : "-b 1024", 80), ["e2fsck", "-fn"]),
        new("ext3", FileSystemKind.Ext3, UsedBlocks, s => MadeVolume.Ext("ext3", 32 * MiB, s == 4096 ? "-b 4096" : "", 80), ["e2fsck", "-fn"]),
        new("ext4", FileSystemKind.Ext4, UsedBlocks, _ => MadeVolume.Ext("ext4", 48 * MiB, "-b 4096", 80), ["e2fsck", "-fn"]),
        new("ext4, bigalloc", FileSystemKind.Ext4, UsedBlocks, _ => MadeVolume.Ext("ext4", 64 * MiB, "-b 4096 -O bigalloc -C 65536", 40), ["e2fsck", "-fn"]),
        new("FAT12", FileSystemKind.Fat12, UsedBlocks, _ => MadeVolume.Fat(4 * MiB, "-F 12", 12), ["fsck.fat", "-n"], On4096: false),
        new("FAT16", FileSystemKind.Fat16, UsedBlocks, s => MadeVolume.Fat(32 * MiB, s == 4096 ? "-F 16 -S 4096 -s 1" : "-F 16", 30), ["fsck.fat", "-n"]),
        new("FAT32", FileSystemKind.Fat32, UsedBlocks, _ => MadeVolume.Fat(40 * MiB, "-F 32 -s 1", 30), ["fsck.fat", "-n"], On4096: false),
        new("exFAT", FileSystemKind.ExFat, UsedBlocks, s => MadeVolume.ExFat(32 * MiB, "", 40, s), ["fsck.exfat", "-n"]),
        new("XFS", FileSystemKind.Xfs, UsedBlocks, s => MadeVolume.Xfs(64 * MiB, s == 4096 ? "-s size=4096" : "", 80), ["xfs_repair", "-n", "-f"]),
        new("btrfs", FileSystemKind.Btrfs, UsedBlocks, _ => MadeVolume.Btrfs(160 * MiB, "", 60), ["btrfs", "check", "--check-data-csum"]),
        new("F2FS", FileSystemKind.F2fs, UsedBlocks, s => MadeVolume.F2fs(64 * MiB, s == 4096 ? "-w 4096" : "", 20), ["fsck.f2fs", "--dry-run"]),
        new("swap", FileSystemKind.Swap, "UUID and label", _ => MadeVolume.Swap(8 * MiB, "-L Judge"), ["swaplabel"], HasFiles: false),
        new("LUKS", FileSystemKind.Luks, "every block", _ => MadeVolume.Luks(24 * MiB, "luks2", "5d3b8e54-0c3a-4a5f-9c0e-4d9a6d1f7b11"), ["cryptsetup", "isLuks"], HasFiles: false),
    ];

    public override string ToString() => Name;
}
