using System.Buffers.Binary;
using ImageForge.Multicast.Frames;

namespace ImageForge.Multicast.Blocks;

/// <summary>A frame in a block.</summary>
/// <param name="Offset">From the start of the block, bytes.</param>
public readonly record struct BlockFrame(int Chunk, int Offset, int Length);

/// <summary>What stands at the start of a block: count u16, then chunk number u32 and frame length u32 each, big-endian.</summary>
public static class BlockTable
{
    private const int CountBytes = 2, EntryBytes = 8;

    /// <summary>Bytes of the table of so many frames.</summary>
    public static int Size(int frames) => CountBytes + (frames * EntryBytes);

    public static void Write(Span<byte> table, IReadOnlyList<BlockFrame> frames)
    {
        BinaryPrimitives.WriteUInt16BigEndian(table, checked((ushort)frames.Count));
        for (var i = 0; i < frames.Count; i++)
        {
            var entry = table[Size(i)..];
            BinaryPrimitives.WriteUInt32BigEndian(entry, (uint)frames[i].Chunk);
            BinaryPrimitives.WriteUInt32BigEndian(entry[4..], (uint)frames[i].Length);
        }
    }

    /// <summary>
    /// The chunks that a table at the start of a first fragment names, before the rest of the block is here; null when the table goes on
    /// beyond it. Good for leaving a block alone, not for believing it.
    /// </summary>
    public static int[]? TryReadChunks(ReadOnlySpan<byte> fragment)
    {
        int count = fragment.Length < CountBytes ? 0 : BinaryPrimitives.ReadUInt16BigEndian(fragment);
        if (count == 0 || Size(count) > fragment.Length)
            return null;
        var chunks = new int[count];
        for (var i = 0; i < count; i++)
            chunks[i] = BinaryPrimitives.ReadInt32BigEndian(fragment[Size(i)..]);
        return chunks;
    }

    /// <summary>
    /// The frames of a block; null when they do not fill it exactly, when one is longer than its chunk allows, or when a chunk is none of the
    /// session's: then somebody who knows the key made the block.
    /// </summary>
    public static IReadOnlyList<BlockFrame>? TryRead(ReadOnlySpan<byte> block, SessionContent content)
    {
        if (block.Length < CountBytes)
            return null;
        int count = BinaryPrimitives.ReadUInt16BigEndian(block);
        long offset = Size(count);
        if (count == 0 || offset > block.Length)
            return null;
        var frames = new BlockFrame[count];
        for (var i = 0; i < count; i++)
        {
            var entry = block[Size(i)..];
            uint chunk = BinaryPrimitives.ReadUInt32BigEndian(entry), length = BinaryPrimitives.ReadUInt32BigEndian(entry[4..]);
            if (chunk >= (uint)content.Chunks || length == 0 || length > (uint)content.LongestFrame((int)chunk) || offset + length > block.Length)
                return null;
            frames[i] = new BlockFrame((int)chunk, (int)offset, (int)length);
            offset += length;
        }
        return offset == block.Length ? frames : null;
    }
}
