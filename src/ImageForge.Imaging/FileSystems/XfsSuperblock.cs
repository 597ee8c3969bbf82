using System.Numerics;
using System.Text;
using ImageForge.Imaging.Disks;

namespace ImageForge.Imaging.FileSystems;

[Flags]
internal enum XfsIncompat : uint
{
    None = 0,
    FileType = 0x1, SparseInodes = 0x2, MetaUuid = 0x4, BigTime = 0x8, NeedsRepair = 0x10, ManyExtents = 0x20, ExchangeRange = 0x40, Parent = 0x80,
    Known = FileType | SparseInodes | MetaUuid | BigTime | NeedsRepair | ManyExtents | ExchangeRange | Parent,
}

[Flags]
internal enum XfsReadOnlyCompat : uint
{
    None = 0,
    FreeInodeTree = 0x1, ReverseMap = 0x2, RefLink = 0x4, InodeTreeCounts = 0x8,
    Known = FreeInodeTree | ReverseMap | RefLink | InodeTreeCounts,
}

/// <summary>
/// The superblock, big-endian, in the volume's first sector (XFS Algorithms and Data Structures, "Superblocks"): 0 "XFSB", 4 block size, 8 blocks,
/// 16 realtime blocks, 32 UUID, 48 first log block (0 = external), 84 blocks per allocation group, 88 groups, 96 log blocks, 100 version
/// and flags, 102 sector size, 108 label, 120 log₂ of the block size, 124 log₂ of the group size rounded up, 126 mkfs in progress,
/// 200 more features, 212/216 features, 224 checksum (little-endian), 248 UUID of the metadata where the other was changed.
/// </summary>
internal sealed record XfsSuperblock
{
    private const int ChecksumAt = 224;
    /// <summary>The format's smallest allocation group (XFS_MIN_AG_BLOCKS).</summary>
    private const uint MinGroupBlocks = 64;

    public required int BlockSize { get; init; }
    public required int SectorSize { get; init; }
    public required long Blocks { get; init; }
    public required uint GroupBlocks { get; init; }
    public required uint Groups { get; init; }
    public required int GroupBlocksLog { get; init; }
    public required bool Checksums { get; init; }
    public required bool LogVersion2 { get; init; }
    public required bool Realtime { get; init; }
    public required ulong LogStart { get; init; }
    public required uint LogBlocks { get; init; }
    public required XfsIncompat Incompat { get; init; }
    public required XfsReadOnlyCompat ReadOnlyCompat { get; init; }
    public required byte[] UuidBytes { get; init; }

    /// <summary>What the metadata blocks carry.</summary>
    public required byte[] MetaUuid { get; init; }
    public required string? Label { get; init; }

    public string Uuid => new Guid(UuidBytes, bigEndian: true).ToString();

    /// <summary>Bytes of the file system.</summary>
    public long Bytes => Blocks * BlockSize;

    /// <summary>Blocks of the group; the last one may be short.</summary>
    public uint BlocksOf(uint group) => (uint)Math.Min(GroupBlocks, Blocks - (long)group * GroupBlocks);

    /// <summary>The volume's byte at which the group's block starts.</summary>
    public long ByteOf(uint group, long block) => ((long)group * GroupBlocks + block) * BlockSize;

    public static XfsSuperblock Read(VolumeReader volume)
    {
        var head = volume.Read(0, 512);
        var version = head.Be16(100);
        if ((version & 0xF) is not (4 or 5))
            throw new DamagedVolumeException($"its format version is {version & 0xF}");
        var (blockSize, sectorSize) = (head.Be32(4), (uint)head.Be16(102));
        if (!BitOperations.IsPow2(sectorSize) || sectorSize is < 512 or > 32768
            || !BitOperations.IsPow2(blockSize) || blockSize is < 512 or > 65536 || blockSize < sectorSize || head[120] != BitOperations.Log2(blockSize))
            throw new DamagedVolumeException("its block size or sector size is impossible");
        var checksums = (version & 0xF) == 5;
        if (checksums && !XfsChecksum.IsRight(volume.Read(0, (int)sectorSize), ChecksumAt))
            throw new DamagedVolumeException("its superblock has a wrong checksum");
        if (head[126] != 0)
            throw new DamagedVolumeException("its making was never finished");

        var (blocks, groupBlocks, groups) = (head.Be64(8), head.Be32(84), head.Be32(88));
        if (blocks == 0 || blocks > (ulong)volume.Length / blockSize)
            throw new DamagedVolumeException("its size does not fit the volume");
        if (groupBlocks < MinGroupBlocks || groups == 0 || (ulong)groups != (blocks + groupBlocks - 1) / groupBlocks
            || head[124] != BitOperations.Log2(BitOperations.RoundUpToPowerOf2((ulong)groupBlocks)))
            throw new DamagedVolumeException("its allocation groups do not fit its size");
        var incompat = checksums ? (XfsIncompat)head.Be32(216) : XfsIncompat.None;
        var uuid = head.AsSpan(32, 16).ToArray();
        return new XfsSuperblock
        {
            BlockSize = (int)blockSize,
            SectorSize = (int)sectorSize,
            Blocks = (long)blocks,
            GroupBlocks = groupBlocks,
            Groups = groups,
            GroupBlocksLog = head[124],
            Checksums = checksums,
            LogVersion2 = checksums || (version & 0x0400) != 0,
            Realtime = head.Be64(16) != 0,
            LogStart = head.Be64(48),
            LogBlocks = head.Be32(96),
            Incompat = incompat,
            ReadOnlyCompat = checksums ? (XfsReadOnlyCompat)head.Be32(212) : XfsReadOnlyCompat.None,
            UuidBytes = uuid,
            MetaUuid = incompat.HasFlag(XfsIncompat.MetaUuid) ? head.AsSpan(248, 16).ToArray() : uuid,
            Label = ReadLabel(head.AsSpan(108, 12)),
        };
    }

    private static string? ReadLabel(ReadOnlySpan<byte> label)
    {
        var end = label.IndexOf((byte)0);
        var text = Encoding.UTF8.GetString(end < 0 ? label : label[..end]);
        return text.Length == 0 ? null : text;
    }
}

/// <summary>Version 5 structures carry the CRC-32C of themselves with the field as zeros, stored little-endian.</summary>
internal static class XfsChecksum
{
    public static bool IsRight(ReadOnlySpan<byte> structure, int at)
    {
        var crc = Crc32.Castagnoli(~0u, structure[..at]);
        crc = Crc32.Castagnoli(crc, stackalloc byte[4]);
        crc = Crc32.Castagnoli(crc, structure[(at + 4)..]);
        return ~crc == structure.U32(at);
    }
}
