namespace ImageForge.Imaging.FileSystems;

/// <summary>
/// Whether the internal log ends in an unmount record, found as the kernel finds it (xlog_find_head, xlog_check_unmount_rec). The log is a ring of
/// 512-byte blocks; a block's first word, or its second where the first is a record's magic number, is the number of the turn in which it was
/// written (0 = never). Record header ("Log Record Headers"): 0 0xFEEDBABE, 4 turn, 8 version, 12 bytes behind the headers,
/// 16 own address (turn, block), 40 operations, 304 UUID, 320 size of the buffer, a header for each 32 KiB of it in version 2. Operation:
/// 8 client (0xAA = the log itself), 9 flags (0x20 = unmount).
/// </summary>
internal sealed class XfsLog
{
    private const uint Magic = 0xFEEDBABE;
    private const int BlockSize = 512, HeaderCovers = 32 << 10, LargestBuffer = 256 << 10;
    private const byte LogClient = 0xAA, UnmountFlag = 0x20;

    private readonly VolumeReader _volume;
    private readonly XfsSuperblock _super;
    private readonly long _start;
    private readonly long _blocks;
    private readonly byte[] _block = new byte[BlockSize];

    private XfsLog(VolumeReader volume, XfsSuperblock super, long start, long blocks) => (_volume, _super, _start, _blocks) = (volume, super, start, blocks);

    /// <exception cref="DamagedVolumeException">The log lies outside the file system.</exception>
    public static bool EndsInUnmount(VolumeReader volume, XfsSuperblock super)
    {
        var (group, block) = (super.LogStart >> super.GroupBlocksLog, super.LogStart & ((1UL << super.GroupBlocksLog) - 1));
        // A log never leaves its allocation group.
        if (group >= super.Groups || block + super.LogBlocks > super.BlocksOf((uint)group) || super.LogBlocks == 0)
            throw new DamagedVolumeException("its log lies outside it");
        return new XfsLog(volume, super, super.ByteOf((uint)group, (long)block), (long)super.LogBlocks * super.BlockSize / BlockSize).EndsInUnmount();
    }

    private bool EndsInUnmount()
    {
        var head = FindHead();
        // The record before the head: an unmount record is a header or two and one block, padded to the log's stripe unit.
        var furthest = Math.Min(_blocks, 1 + LargestBuffer / HeaderCovers + LargestBuffer / BlockSize);
        for (var back = 1; back <= furthest; back++)
        {
            var at = (head - back + _blocks) % _blocks;
            var header = ReadBlock(at);
            if (header.Be32(0) == Magic)
                return IsUnmount(header.ToArray(), at, back);
        }
        return false;
    }

    /// <summary>The block that will be written next: the first of an older turn than the ring's start. 0 if all are of one turn.</summary>
    private long FindHead()
    {
        var first = Turn(0);
        if (Turn(_blocks - 1) == first)
            return 0;
        var (same, other) = (0L, _blocks - 1);
        while (other - same > 1)
        {
            var middle = same + (other - same) / 2;
            if (Turn(middle) == first)
                same = middle;
            else
                other = middle;
        }
        return other;
    }

    private bool IsUnmount(byte[] header, long at, int blocksToHead)
    {
        var (turn, bytes, size) = (header.Be32(4), header.Be32(12), header.Be32(320));
        var headers = _super.LogVersion2 && (header.Be32(8) & 2) != 0 && size is > HeaderCovers and <= LargestBuffer ? (int)((size + HeaderCovers - 1) / HeaderCovers) : 1;
        if (header.Be64(16) != ((ulong)turn << 32 | (uint)at) || header.Be32(40) != 1 || bytes == 0 || bytes > LargestBuffer
            || headers + (bytes + BlockSize - 1) / BlockSize != blocksToHead || !header.AsSpan(304, 16).SequenceEqual(_super.UuidBytes))
            return false;
        var operation = ReadBlock((at + headers) % _blocks);
        return operation[8] == LogClient && (operation[9] & UnmountFlag) != 0;
    }

    private uint Turn(long block)
    {
        var bytes = ReadBlock(block);
        return bytes.Be32(0) is var word && word == Magic ? bytes.Be32(4) : word;
    }

    private ReadOnlySpan<byte> ReadBlock(long block)
    {
        _volume.Read(_start + block * BlockSize, _block);
        return _block;
    }
}
