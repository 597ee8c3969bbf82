using System.Buffers.Binary;

namespace ImageForge.Imaging.Imports.Partclone;

/// <summary>
/// Format 0001: a checksum behind every block. Two habits of old programs are found out by the second block (partclone's own
/// comments in main.c and partclone.c): some began each checksum anew, some of 64 bits wrote four bytes too many behind each.
/// </summary>
internal sealed class BlocksOf0001(string name, Stream stream, PartcloneHeader header) : IPartcloneBlocks
{
    private const int ChecksumBytes = 4;

    private uint _cumulative = PartcloneCrc.Seed;
    private bool? _reseeds;
    private int _extraBytes;
    private long _block;

    public void Read(Span<byte> blocks)
    {
        for (; blocks.Length > 0; blocks = blocks[header.BlockSize..])
            ReadBlock(blocks[..header.BlockSize]);
    }

    public void End() { }

    private void ReadBlock(Span<byte> block)
    {
        Span<byte> checksum = stackalloc byte[ChecksumBytes];
        // The four bytes too many follow every checksum, so they precede every block but the first.
        if (_block > 0)
            Skip(_extraBytes);
        ReadExactly(block);
        ReadExactly(checksum);
        if (!Accepts(block, checksum) && !(_block == 1 && MovedBy4(block, checksum)))
            throw ImportFailures.Damaged(name, $"the checksum of its used block {_block} is wrong");
        _block++;
    }

    /// <summary>What was read begins four bytes early: its last four are still before us, in the place of the checksum.</summary>
    private bool MovedBy4(Span<byte> block, Span<byte> checksum)
    {
        block[ChecksumBytes..].CopyTo(block);
        checksum.CopyTo(block[^ChecksumBytes..]);
        ReadExactly(checksum);
        _extraBytes = ChecksumBytes;
        return Accepts(block, checksum);
    }

    private bool Accepts(ReadOnlySpan<byte> block, ReadOnlySpan<byte> checksum)
    {
        var there = BinaryPrimitives.ReadUInt32LittleEndian(checksum);
        var cumulative = PartcloneCrc.UpdateAs0001(_cumulative, block);
        var anew = PartcloneCrc.UpdateAs0001(PartcloneCrc.Seed, block);
        if (_reseeds is null && (there == cumulative) != (there == anew))
            _reseeds = there == anew;
        if (there != (_reseeds == true ? anew : cumulative))
            return false;
        _cumulative = cumulative;
        return true;
    }

    private void Skip(int count)
    {
        Span<byte> ignored = stackalloc byte[ChecksumBytes];
        ReadExactly(ignored[..count]);
    }

    private void ReadExactly(Span<byte> bytes)
    {
        if (stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) < bytes.Length)
            throw ImportFailures.Damaged(name, $"it ends after {_block} used blocks");
    }
}
