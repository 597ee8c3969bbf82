using System.Buffers.Binary;
using System.Numerics;

namespace ImageForge.Imaging.FileSystems;

/// <summary>
/// The segment information table: 55 entries to a block, 74 bytes each: 0 number of valid blocks (10 bits) and kind of segment, 2 a bit per block, highest
/// bit first. Each block of the table has two copies; the newest changes stand in the checkpoint.
/// </summary>
internal static class F2fsSegments
{
    public const int EntrySize = 74, EntriesPerBlock = F2fsSuperblock.BlockSize / EntrySize;
    private const int MapAt = 2, MapSize = F2fsSuperblock.SegmentBlocks / 8, ValidMask = 0x3FF;

    /// <exception cref="DamagedVolumeException">The valid blocks do not add up.</exception>
    public static void MarkValid(VolumeReader volume, F2fsSuperblock super, F2fsCheckpoint checkpoint, UsedMap map)
    {
        var journal = checkpoint.ReadSitJournal(volume);
        if (journal.Keys.Any(segment => segment >= super.MainSegments))
            throw new DamagedVolumeException("its checkpoint changes a segment outside it");
        var block = new byte[F2fsSuperblock.BlockSize];
        ulong valid = 0;
        for (uint segment = 0; segment < super.MainSegments; segment++)
        {
            var (inTable, inBlock) = (segment / EntriesPerBlock, (int)(segment % EntriesPerBlock));
            if (inBlock == 0)
                volume.Read((super.Sit + inTable + (checkpoint.SecondCopy(inTable) ? super.SitBlocks : 0)) * F2fsSuperblock.BlockSize, block);
            var entry = journal.TryGetValue(segment, out var newer) ? newer : block.AsSpan(inBlock * EntrySize, EntrySize);
            valid += Mark(entry, (super.Main + (long)segment * F2fsSuperblock.SegmentBlocks) * F2fsSuperblock.BlockSize, map);
        }
        if (valid != checkpoint.ValidBlocks)
            throw new DamagedVolumeException("its valid blocks do not add up");
        MarkEndsOfNodeLogs(super, checkpoint, map);
    }

    /// <summary>
    /// Each mount looks for fsynced nodes from the next free block of the node logs on, until one is not of this checkpoint (recovery.c). What a
    /// target held there before may be of it, after a deploy of the same volume: the source's own block ends the search as it does there.
    /// </summary>
    private static void MarkEndsOfNodeLogs(F2fsSuperblock super, F2fsCheckpoint checkpoint, UsedMap map)
    {
        foreach (var (segment, block) in checkpoint.NodeLogs)
        {
            if (segment >= super.MainSegments || block >= F2fsSuperblock.SegmentBlocks)
                throw new DamagedVolumeException("a log of nodes lies outside it");
            map.MarkBytes((super.Main + (long)segment * F2fsSuperblock.SegmentBlocks + block) * F2fsSuperblock.BlockSize, F2fsSuperblock.BlockSize);
        }
    }

    private static uint Mark(ReadOnlySpan<byte> entry, long start, UsedMap map)
    {
        Span<byte> bits = stackalloc byte[MapSize];
        uint valid = 0;
        for (var i = 0; i < MapSize; i += 8)
        {
            var word = ReverseBits(BinaryPrimitives.ReadUInt64LittleEndian(entry[(MapAt + i)..]));
            valid += (uint)BitOperations.PopCount(word);
            BinaryPrimitives.WriteUInt64LittleEndian(bits[i..], word);
        }
        if (valid != (entry.U16(0) & ValidMask))
            throw new DamagedVolumeException("its segment table contradicts itself");
        map.MarkBits(start, F2fsSuperblock.BlockSize, bits, F2fsSuperblock.SegmentBlocks);
        return valid;
    }

    /// <summary>Each byte's bits in the other order.</summary>
    private static ulong ReverseBits(ulong word)
    {
        word = (word & 0x5555555555555555) << 1 | word >> 1 & 0x5555555555555555;
        word = (word & 0x3333333333333333) << 2 | word >> 2 & 0x3333333333333333;
        return (word & 0x0F0F0F0F0F0F0F0F) << 4 | word >> 4 & 0x0F0F0F0F0F0F0F0F;
    }
}
