namespace ImageForge.Imaging.FileSystems;

[Flags]
internal enum F2fsCheckpointFlags : uint
{
    None = 0,
    Unmounted = 0x1, Compact = 0x4, Error = 0x8, NeedsCheck = 0x10, LargeNatBitmap = 0x400, Disabled = 0x1000, DisabledQuick = 0x2000, Resizing = 0x4000,
}

/// <summary>
/// The newer of two checkpoint packs, each a segment long. A pack starts and ends with the same block: 0 version, 16 valid blocks, 36 segment and
/// 68 next free block of the node logs (hot, warm, cold), 132 flags, 136 blocks of the
/// pack, 140 first summary block, 156/160 sizes of the SIT's and the NAT's bitmap, 164 where the checksum is, 192 the bitmaps: a bit (highest
/// first) says which of the two copies of a SIT block counts. Between them lie the summaries of the open segments. Behind 3584 bytes, or
/// compacted behind 507, that of cold data has changes to the SIT: a count, then 78 bytes each, segment and entry.
/// </summary>
internal sealed class F2fsCheckpoint
{
    private const int BitmapsAt = 192, LastChecksumAt = 4092, JournalAt = 3584, JournalSize = 507, JournalEntry = 4 + F2fsSegments.EntrySize;

    private readonly byte[] _bitmaps;
    private readonly int _sitBitmapAt;

    private F2fsCheckpoint(F2fsSuperblock super, long start, byte[] bytes)
    {
        (Start, _bitmaps) = (start, bytes);
        (Version, ValidBlocks, Flags) = (bytes.U64(0), bytes.U64(16), (F2fsCheckpointFlags)bytes.U32(132));
        NodeLogs = [.. Enumerable.Range(0, 3).Select(log => (bytes.U32(36 + 4 * log), (int)bytes.U16(68 + 2 * log)))];
        (PackBlocks, FirstSummary) = (bytes.U32(136), bytes.U32(140));
        var (sitBytes, natBytes) = (bytes.U32(156), bytes.U32(160));
        if (sitBytes < super.SitBlocks / 8 || sitBytes > bytes.Length || natBytes > bytes.Length)
            throw new DamagedVolumeException("its checkpoint has a bitmap of an impossible size");
        _sitBitmapAt = Flags.HasFlag(F2fsCheckpointFlags.LargeNatBitmap) ? BitmapsAt + 4 + (int)natBytes
            : super.CheckpointPayload > 0 ? F2fsSuperblock.BlockSize : BitmapsAt;
        if (_sitBitmapAt + sitBytes > bytes.Length)
            throw new DamagedVolumeException("its checkpoint has a bitmap of an impossible size");
    }

    public ulong Version { get; }
    public ulong ValidBlocks { get; }
    public F2fsCheckpointFlags Flags { get; }

    /// <summary>Where the logs of nodes go on: a segment of the main area and a block in it, not checked.</summary>
    public IReadOnlyList<(uint Segment, int Block)> NodeLogs { get; }

    private long Start { get; }
    private uint PackBlocks { get; }
    private uint FirstSummary { get; }

    /// <exception cref="DamagedVolumeException">Neither pack is whole.</exception>
    public static F2fsCheckpoint Read(VolumeReader volume, F2fsSuperblock super)
    {
        var first = ReadPack(volume, super, super.Checkpoint);
        var second = ReadPack(volume, super, super.Checkpoint + F2fsSuperblock.SegmentBlocks);
        if (first is not null && second is not null)
            // Versions count up and may wrap.
            return (long)(second.Version - first.Version) > 0 ? second : first;
        return first ?? second ?? throw new DamagedVolumeException("both of its checkpoints are damaged");
    }

    /// <summary>Which copy of this block of the SIT counts.</summary>
    public bool SecondCopy(long sitBlock) => (_bitmaps[_sitBitmapAt + (int)(sitBlock >> 3)] & 0x80 >> (int)(sitBlock & 7)) != 0;

    /// <summary>Entries that are newer than the SIT's own, by segment.</summary>
    public Dictionary<uint, byte[]> ReadSitJournal(VolumeReader volume)
    {
        // A pack that was closed by unmounting ends in six summaries, hot, warm and cold data first, and its last block.
        var compact = Flags.HasFlag(F2fsCheckpointFlags.Compact);
        var block = compact ? FirstSummary : PackBlocks - 7L + 2;
        if (block <= 0 || block >= PackBlocks)
            throw new DamagedVolumeException("its checkpoint has no summaries");
        var journal = volume.Read((Start + block) * F2fsSuperblock.BlockSize + (compact ? JournalSize : JournalAt), JournalSize);
        var count = journal.U16(0);
        if (count > (JournalSize - 2) / JournalEntry)
            throw new DamagedVolumeException("its checkpoint has too many changes to the segment table");
        var entries = new Dictionary<uint, byte[]>();
        for (var i = 0; i < count; i++)
            entries[journal.U32(2 + i * JournalEntry)] = journal.AsSpan(2 + i * JournalEntry + 4, F2fsSegments.EntrySize).ToArray();
        return entries;
    }

    private static F2fsCheckpoint? ReadPack(VolumeReader volume, F2fsSuperblock super, long start)
    {
        var first = volume.Read(start * F2fsSuperblock.BlockSize, F2fsSuperblock.BlockSize * (1 + super.CheckpointPayload));
        var blocks = first.U32(136);
        if (!HasChecksum(first.AsSpan(0, F2fsSuperblock.BlockSize)) || blocks <= 2 + super.CheckpointPayload || blocks > F2fsSuperblock.SegmentBlocks)
            return null;
        var last = volume.Read((start + blocks - 1) * F2fsSuperblock.BlockSize, F2fsSuperblock.BlockSize);
        return HasChecksum(last) && last.U64(0) == first.U64(0) ? new F2fsCheckpoint(super, start, first) : null;
    }

    private static bool HasChecksum(ReadOnlySpan<byte> block)
    {
        var at = block.U32(164);
        if (at is < BitmapsAt or > LastChecksumAt)
            return false;
        var crc = F2fsSuperblock.Checksum(block[..(int)at]);
        // A checksum in the middle covers what lies behind it as well.
        if (at < LastChecksumAt)
            crc = Disks.Crc32.Remainder(crc, block[((int)at + 4)..]);
        return crc == block.U32((int)at);
    }
}
