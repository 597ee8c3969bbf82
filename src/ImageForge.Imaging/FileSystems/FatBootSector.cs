using System.Globalization;
using System.Numerics;
using System.Text;

namespace ImageForge.Imaging.FileSystems;

/// <summary>
/// The BIOS parameter block (Microsoft, "FAT: General Overview of On-Disk Format" 1.03): 0 jump, 11 bytes per sector, 13 sectors per
/// cluster, 14 reserved sectors, 16 FATs, 17 root folder entries, 19/32 sectors (16/32 bits), 21 media, 22/36 sectors per FAT; FAT32 also
/// 40 flags, 42 version, 44 root cluster. Extended part at 38 (FAT12/16) or 66 (FAT32): 0x29, serial, label.
/// </summary>
internal sealed record FatBootSector
{
    public required FileSystemKind Kind { get; init; }
    public required int ClusterSize { get; init; }
    public required long Clusters { get; init; }
    public required long FatOffset { get; init; }
    public required long FatBytes { get; init; }
    public required int FatCount { get; init; }
    public required long DataOffset { get; init; }
    public required long RootCluster { get; init; }
    public required byte Media { get; init; }
    public required bool DirtyByLinux { get; init; }
    public required string? Uuid { get; init; }
    public required string? Label { get; init; }

    public int EntryBits => Kind switch { FileSystemKind.Fat12 => 12, FileSystemKind.Fat16 => 16, _ => 32 };

    /// <summary>The largest power of two that both the data area's start and the clusters are multiples of.</summary>
    public int MapUnit => (int)Math.Min(ClusterSize, 1L << Math.Min(30, BitOperations.TrailingZeroCount(DataOffset)));

    public static bool LooksLikeFat(ReadOnlySpan<byte> s) =>
        s[510] == 0x55 && s[511] == 0xAA
        && s[0] is 0xEB or 0xE9
        && !s[3..].StartsWith("NTFS    "u8) && !s[3..].StartsWith("EXFAT   "u8) && !s[3..].StartsWith("-FVE-FS-"u8)
        && s.U16(11) is 512 or 1024 or 2048 or 4096
        && BitOperations.IsPow2((uint)s[13]) && s.U16(14) != 0 && s[16] is >= 1 and <= 4
        && s[21] is 0xF0 or >= 0xF8
        && (s.U16(22) != 0 || s.U32(36) != 0);

    public static FatBootSector Parse(byte[] s, long volumeLength)
    {
        int sector = s.U16(11), clusterSectors = s[13], fats = s[16];
        long rootBytes = s.U16(17) * 32L;
        long sectors = s.U16(19) != 0 ? s.U16(19) : s.U32(32);
        var isFat32 = s.U16(22) == 0;
        long fatSectors = isFat32 ? s.U32(36) : s.U16(22);
        if (isFat32 ? rootBytes != 0 || s.U16(42) != 0 : rootBytes == 0)
            throw new DamagedVolumeException("its root folder has an impossible size");
        if (sectors == 0 || sectors > volumeLength / sector)
            throw new DamagedVolumeException($"it claims {sectors} sectors of {sector} bytes, more than the partition has");
        var dataSector = s.U16(14) + fats * fatSectors + (rootBytes + sector - 1) / sector;
        var clusters = (sectors - dataSector) / clusterSectors;
        if (dataSector >= sectors || clusters < 1)
            throw new DamagedVolumeException("its data area lies outside the volume");
        // The kind follows from the number of clusters alone, except that FAT32 has its FAT size elsewhere: mkfs.fat -F 32 makes small ones.
        var kind = isFat32 ? FileSystemKind.Fat32 : clusters < 4085 ? FileSystemKind.Fat12 : FileSystemKind.Fat16;
        if (clusters > (isFat32 ? 0x0FFF_FFF5 : 65524))
            throw new DamagedVolumeException($"it has {clusters} clusters, too many for its kind");
        var bits = kind switch { FileSystemKind.Fat12 => 12, FileSystemKind.Fat16 => 16, _ => 32 };
        if (((clusters + 2) * bits + 7) / 8 > fatSectors * sector)
            throw new DamagedVolumeException("its FAT is too short for its clusters");
        var extended = isFat32 ? 66 : 38;
        return new FatBootSector
        {
            Kind = kind,
            ClusterSize = sector * clusterSectors,
            Clusters = clusters,
            FatOffset = (long)s.U16(14) * sector,
            FatBytes = fatSectors * sector,
            FatCount = fats,
            DataOffset = dataSector * sector,
            RootCluster = isFat32 ? s.U32(44) : 0,
            Media = s[21],
            // Linux marks a mounted FAT in the byte before the extended signature (fs/fat/inode.c, fat_set_state).
            DirtyByLinux = (s[extended - 1] & 1) != 0,
            Uuid = s[extended] is 0x28 or 0x29 ? string.Create(CultureInfo.InvariantCulture, $"{s.U16(extended + 3):X4}-{s.U16(extended + 1):X4}") : null,
            Label = s[extended] == 0x29 ? ReadLabel(s.AsSpan(extended + 5, 11)) : null,
        };
    }

    private static string? ReadLabel(ReadOnlySpan<byte> label)
    {
        // The code page is unknown; beyond ASCII it is better to say so than to guess.
        Span<char> text = stackalloc char[label.Length];
        for (var i = 0; i < label.Length; i++)
            text[i] = label[i] is >= 0x20 and < 0x7F ? (char)label[i] : '\uFFFD';
        var name = new string(text).TrimEnd();
        return name.Length == 0 || name == "NO NAME" ? null : name;
    }
}
