using System.Text;
using ImageForge.Imaging.Disks;

namespace ImageForge.Imaging.FileSystems;

[Flags]
internal enum F2fsFeatures : uint
{
    None = 0,
    Encrypt = 0x1, Zoned = 0x2, AtomicWrite = 0x4, ExtraAttributes = 0x8, ProjectQuota = 0x10, InodeChecksum = 0x20, FlexibleInlineXattr = 0x40,
    QuotaInode = 0x80, InodeCreationTime = 0x100, LostFound = 0x200, Verity = 0x400, SuperblockChecksum = 0x800, CaseFold = 0x1000,
    Compression = 0x2000, ReadOnly = 0x4000,
    Known = Encrypt | Zoned | AtomicWrite | ExtraAttributes | ProjectQuota | InodeChecksum | FlexibleInlineXattr | QuotaInode | InodeCreationTime
        | LostFound | Verity | SuperblockChecksum | CaseFold | Compression | ReadOnly,
}

/// <summary>
/// The superblock, at byte 1024 of the first block and again of the second (kernel documentation, f2fs, "On-disk Layout", with the fields of
/// include/linux/f2fs_fs.h): 0 magic, 16 log₂ of the block size, 20 log₂ of the blocks in a segment, 32 where the checksum is, 36 blocks,
/// 48 … 68 segments in all, of checkpoint, SIT, NAT, SSA and main area, 72 … 92 the block each of them starts at, 108 UUID, 124 label
/// (UTF-16), 1664 further blocks of the checkpoint, 2180 features, 2201 path of the first of several devices.
/// </summary>
internal sealed record F2fsSuperblock
{
    public const int BlockSize = 4096, SegmentBlocks = 512;
    private const int Offset = 1024, Size = 3072, ChecksumAt = 3068;
    private const uint Magic = 0xF2F52010;

    public required long Blocks { get; init; }
    public required uint Checkpoint { get; init; }
    public required uint Sit { get; init; }

    /// <summary>Blocks of one of the two copies.</summary>
    public required long SitBlocks { get; init; }
    public required uint Main { get; init; }
    public required uint MainSegments { get; init; }
    public required int CheckpointPayload { get; init; }
    public required F2fsFeatures Features { get; init; }
    public required bool SeveralDevices { get; init; }
    public required string Uuid { get; init; }
    public required string? Label { get; init; }

    /// <summary>The second copy alone is no mark: a later file system may have left it.</summary>
    public static bool IsPresent(VolumeReader volume) => volume.Length >= 2 * BlockSize && volume.Read(Offset, 4).U32(0) == Magic;

    public static F2fsSuperblock Read(VolumeReader volume)
    {
        try
        {
            return Parse(volume.Read(Offset, Size), volume.Length);
        }
        catch (DamagedVolumeException) when (volume.Read(BlockSize + Offset, 4).U32(0) == Magic)
        {
            return Parse(volume.Read(BlockSize + Offset, Size), volume.Length);
        }
    }

    /// <summary>F2FS starts its CRC-32 with the magic number and does not invert it.</summary>
    public static uint Checksum(ReadOnlySpan<byte> data) => Crc32.Remainder(Magic, data);

    private static F2fsSuperblock Parse(byte[] s, long volumeLength)
    {
        var features = (F2fsFeatures)s.U32(2180);
        if (features.HasFlag(F2fsFeatures.SuperblockChecksum) && (s.U32(32) != ChecksumAt || s.U32(ChecksumAt) != Checksum(s.AsSpan(0, ChecksumAt))))
            throw new DamagedVolumeException("its superblock has a wrong checksum");
        if (s.U32(16) != 12 || s.U32(20) != 9)
            throw new DamagedVolumeException("its blocks or segments have a size not known here");
        var blocks = s.U64(36);
        // Several devices are counted as one.
        var severalDevices = s[2201] != 0;
        if (blocks == 0 || blocks > (ulong)volumeLength / BlockSize && !severalDevices)
            throw new DamagedVolumeException("its size does not fit the volume");
        // Checkpoint, SIT, NAT, SSA and main area follow each other without gaps.
        ulong at = s.U32(72);
        for (var area = 0; area < 5; area++)
        {
            if (s.U32(76 + 4 * area) != at)
                throw new DamagedVolumeException("its areas do not follow each other");
            at += (ulong)s.U32(52 + 4 * area) * SegmentBlocks;
        }
        var (sitSegments, mainSegments, payload) = (s.U32(56), s.U32(68), s.U32(1664));
        if (s.U32(72) < 2 || at > blocks || s.U32(52) != 2 || sitSegments < 2 || sitSegments % 2 != 0 || mainSegments == 0 || payload >= SegmentBlocks)
            throw new DamagedVolumeException("its areas have impossible sizes");
        var sitBlocks = (long)sitSegments / 2 * SegmentBlocks;
        if (sitBlocks * F2fsSegments.EntriesPerBlock < mainSegments)
            throw new DamagedVolumeException("its segment table is too short");
        return new F2fsSuperblock
        {
            Blocks = (long)blocks,
            Checkpoint = s.U32(76),
            Sit = s.U32(80),
            SitBlocks = sitBlocks,
            Main = s.U32(92),
            MainSegments = mainSegments,
            CheckpointPayload = (int)payload,
            Features = features,
            SeveralDevices = severalDevices,
            Uuid = new Guid(s.AsSpan(108, 16), bigEndian: true).ToString(),
            Label = ReadLabel(s.AsSpan(124, 1024)),
        };
    }

    private static string? ReadLabel(ReadOnlySpan<byte> label)
    {
        var text = Encoding.Unicode.GetString(label);
        var end = text.IndexOf('\0', StringComparison.Ordinal);
        return end == 0 ? null : end < 0 ? text : text[..end];
    }
}
