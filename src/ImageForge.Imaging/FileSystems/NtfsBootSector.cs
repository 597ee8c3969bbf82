using System.Globalization;
using System.Numerics;

namespace ImageForge.Imaging.FileSystems;

/// <summary>
/// The boot sector ($Boot): 3 "NTFS    ", 11 bytes per sector, 13 sectors per cluster, 40 sectors (without the backup boot sector that
/// follows the last one), 48 first cluster of $MFT, 56 of $MFTMirr, 64 size of an MFT record, 72 serial number, 510 0x55 0xAA.
/// Sizes above 128 are written as negative powers of two.
/// </summary>
internal sealed record NtfsBootSector(int ClusterSize, long Clusters, long VolumeBytes, long MftCluster, int RecordSize, string Uuid)
{
    public static bool IsPresent(ReadOnlySpan<byte> s) => s[3..].StartsWith("NTFS    "u8) && s[510] == 0x55 && s[511] == 0xAA;

    public static NtfsBootSector Parse(byte[] s, long volumeLength)
    {
        int sector = s.U16(11);
        if (sector is < 256 or > 4096 || !BitOperations.IsPow2(sector))
            throw new DamagedVolumeException($"its sectors have {sector} bytes");
        // 0xF4 is −12: 2¹² sectors. Windows 10 writes clusters above 64 KiB this way.
        var clusterSectors = s[13] <= 0x80 ? s[13] : s[13] >= 0xF4 ? 1 << -(sbyte)s[13] : 0;
        var clusterSize = (long)clusterSectors * sector;
        if (!BitOperations.IsPow2(clusterSectors) || clusterSize is < 512 or > 2 << 20)
            throw new DamagedVolumeException($"its clusters have {clusterSize} bytes");
        var sectors = s.U64(40);
        if (sectors == 0 || sectors > (ulong)(volumeLength / sector))
            throw new DamagedVolumeException($"it claims {sectors} sectors of {sector} bytes, more than the partition has");
        var clusters = (long)sectors / clusterSectors;
        var encoded = (sbyte)s[64];
        var recordSize = encoded switch { > 0 => encoded * clusterSize, >= -16 and <= -9 => 1L << -encoded, _ => 0 };
        if (recordSize is < 512 or > 65536 || !BitOperations.IsPow2(recordSize))
            throw new DamagedVolumeException($"its MFT records have {recordSize} bytes");
        var mft = s.U64(48);
        if (mft == 0 || mft >= (ulong)clusters)
            throw new DamagedVolumeException("its MFT lies outside the volume");
        return new NtfsBootSector((int)clusterSize, clusters, (long)sectors * sector, (long)mft, (int)recordSize,
            s.U64(72).ToString("X16", CultureInfo.InvariantCulture));
    }
}
