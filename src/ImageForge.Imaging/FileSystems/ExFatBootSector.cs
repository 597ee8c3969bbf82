using System.Globalization;
using System.Numerics;

namespace ImageForge.Imaging.FileSystems;

/// <summary>
/// The main boot region (Microsoft, "exFAT file system specification" 1.00, §3): sector 0 with 3 "EXFAT   ", 11 zeros up to 64,
/// 72 sectors of the volume, 80 first sector of the FATs, 84 sectors of one, 88 first sector of the cluster heap, 92 clusters,
/// 96 first cluster of the root folder, 100 serial number, 104 revision, 106 flags (0 active FAT, 1 dirty, 2 media failure),
/// 108 log₂ of bytes per sector, 109 log₂ of sectors per cluster, 110 FATs, 510 0x55 0xAA. Sector 11 repeats the checksum of 0 to 10.
/// </summary>
internal sealed record ExFatBootSector
{
    private const int CheckedSectors = 11;

    public required int SectorSize { get; init; }
    public required int ClusterSize { get; init; }
    public required long Clusters { get; init; }
    public required long FatOffset { get; init; }
    public required long FatBytes { get; init; }
    public required int FatCount { get; init; }
    public required long HeapOffset { get; init; }
    public required uint RootCluster { get; init; }
    public required int Flags { get; init; }
    public required string Uuid { get; init; }

    /// <summary>Which FAT and which bitmap count: 0 or 1.</summary>
    public int Active => Flags & 1;

    public bool IsDirty => (Flags & 2) != 0;

    public bool MediaFailed => (Flags & 4) != 0;

    /// <summary>The largest power of two that both the heap's start and the clusters are multiples of.</summary>
    public int MapUnit => (int)Math.Min(ClusterSize, 1L << Math.Min(30, BitOperations.TrailingZeroCount(HeapOffset)));

    public static bool IsPresent(ReadOnlySpan<byte> s) => s[3..].StartsWith("EXFAT   "u8) && s[510] == 0x55 && s[511] == 0xAA;

    public static ExFatBootSector Parse(VolumeReader volume)
    {
        var s = volume.Read(0, 512);
        if (s.AsSpan(11, 53).ContainsAnyExcept((byte)0))
            throw new DamagedVolumeException("its boot sector has parameters of a FAT");
        if (s[105] != 1)
            throw new DamagedVolumeException($"its revision is {s[105]}.{s[104]}");
        int sectorShift = s[108], clusterShift = s[109];
        if (sectorShift is < 9 or > 12 || clusterShift > 25 - sectorShift)
            throw new DamagedVolumeException($"sectors of 2^{sectorShift} bytes with 2^{clusterShift} of them in a cluster are not possible");
        CheckSum(volume, 1 << sectorShift);

        var (sectors, clusters, root) = (s.U64(72), s.U32(92), s.U32(96));
        if (sectors == 0 || sectors > (ulong)(volume.Length >> sectorShift))
            throw new DamagedVolumeException($"it claims {sectors} sectors of {1 << sectorShift} bytes, more than the partition has");
        long fatStart = s.U32(80), fatSectors = s.U32(84), heap = s.U32(88);
        int fats = s[110];
        if (fats is not (1 or 2) || (s[106] & 1) >= fats)
            throw new DamagedVolumeException($"it has {fats} FATs and uses number {s[106] & 1}");
        if (fatStart < 24 || heap < fatStart + fatSectors * fats || clusters is 0 or > 0xFFFF_FFF5 || heap + ((long)clusters << clusterShift) > (long)sectors)
            throw new DamagedVolumeException("its FATs or its clusters lie outside the volume");
        if ((clusters + 2L) * 4 > fatSectors << sectorShift)
            throw new DamagedVolumeException("its FAT is too short for its clusters");
        if (root < 2 || root - 2 >= clusters)
            throw new DamagedVolumeException("its root folder points outside the volume");
        return new ExFatBootSector
        {
            SectorSize = 1 << sectorShift,
            ClusterSize = 1 << (sectorShift + clusterShift),
            Clusters = clusters,
            FatOffset = fatStart << sectorShift,
            FatBytes = fatSectors << sectorShift,
            FatCount = fats,
            HeapOffset = heap << sectorShift,
            RootCluster = root,
            Flags = s.U16(106),
            Uuid = string.Create(CultureInfo.InvariantCulture, $"{s.U16(102):X4}-{s.U16(100):X4}"),
        };
    }

    /// <summary>§3.4: every byte but the flags and the percentage in use, which change while the volume is in use.</summary>
    internal static uint Sum(ReadOnlySpan<byte> region)
    {
        uint sum = 0;
        for (var i = 0; i < region.Length; i++)
            if (i is not (106 or 107 or 112))
                sum = (sum >> 1 | sum << 31) + region[i];
        return sum;
    }

    private static void CheckSum(VolumeReader volume, int sectorSize)
    {
        if (volume.Length < (CheckedSectors + 1L) * sectorSize)
            throw new DamagedVolumeException("its boot region is longer than the partition");
        var expected = Sum(volume.Read(0, CheckedSectors * sectorSize));
        var stored = volume.Read(CheckedSectors * sectorSize, sectorSize);
        for (var at = 0; at < sectorSize; at += 4)
            if (stored.U32(at) != expected)
                throw new DamagedVolumeException("the checksum of its boot region is wrong");
    }
}
