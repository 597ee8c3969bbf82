using System.Buffers.Binary;

namespace ImageForge.Imaging.Imports.Partclone;

/// <summary>Which blocks an image holds. Memory grows with what was really read: a header may claim anything.</summary>
internal sealed class PartcloneBitmap
{
    /// <summary>Blocks per piece; 128 KiB of memory.</summary>
    private const int PieceBlocks = 1 << 20;

    private readonly List<byte[]> _pieces = [];

    private PartcloneBitmap(long blocks) => Blocks = blocks;

    public long Blocks { get; }

    public long UsedBlocks { get; private set; }

    public static PartcloneBitmap Read(string name, PartcloneHeader header, Stream stream)
    {
        var bitmap = new PartcloneBitmap(header.Blocks);
        var bytes = header.BitmapMode == PartcloneHeader.BitmapBytes;
        var crc = PartcloneCrc.Seed;
        var piece = new byte[bytes ? PieceBlocks : PieceBlocks / 8];
        for (long block = 0; block < header.Blocks; block += PieceBlocks)
        {
            var count = (int)Math.Min(PieceBlocks, header.Blocks - block);
            var read = piece.AsSpan(0, bytes ? count : (count + 7) / 8);
            if (header.BitmapMode == PartcloneHeader.BitmapNone)
                read.Fill(0xFF);
            else if (stream.ReadAtLeast(read, read.Length, throwOnEndOfStream: false) < read.Length)
                throw ImportFailures.Damaged(name, "it ends within its bitmap");
            crc = PartcloneCrc.Update(crc, read);
            bitmap.Add(bytes ? Pack(read) : read.ToArray(), count);
        }
        if (header.BitmapMode != PartcloneHeader.BitmapNone)
            CheckEnd(name, header, stream, crc);
        return bitmap;
    }

    /// <summary>The next row of used blocks at or after <paramref name="from"/>, at most <paramref name="most"/>; (blocks, 0) at the end.</summary>
    public (long First, int Count) Next(long from, int most)
    {
        while (from < Blocks && !IsUsed(from))
            from += (from & 7) == 0 && from + 8 <= Blocks && ByteAt(from) == 0 ? 8 : 1;
        var count = 0;
        while (count < most && from + count < Blocks && IsUsed(from + count))
            count++;
        return (from, count);
    }

    private static void CheckEnd(string name, PartcloneHeader header, Stream stream, uint crc)
    {
        Span<byte> end = stackalloc byte[header.Version == 1 ? 8 : 4];
        if (stream.ReadAtLeast(end, end.Length, throwOnEndOfStream: false) < end.Length)
            throw ImportFailures.Damaged(name, "it ends within its bitmap");
        if (header.Version == 1 ? !end.SequenceEqual("BiTmAgIc"u8) : BinaryPrimitives.ReadUInt32LittleEndian(end) != crc)
            throw ImportFailures.Damaged(name, "the checksum of its bitmap is wrong");
    }

    /// <summary>"Some bitmaps contain values other than 0 or 1" (IMAGE_FORMATS.md); partclone takes only 1 for a used block.</summary>
    private static byte[] Pack(ReadOnlySpan<byte> bytes)
    {
        var bits = new byte[(bytes.Length + 7) / 8];
        for (var i = 0; i < bytes.Length; i++)
            if (bytes[i] == 1)
                bits[i >> 3] |= (byte)(1 << (i & 7));
        return bits;
    }

    private void Add(byte[] bits, int count)
    {
        if ((count & 7) != 0)
            bits[^1] &= (byte)((1 << (count & 7)) - 1);
        _pieces.Add(bits);
        foreach (var b in bits)
            UsedBlocks += System.Numerics.BitOperations.PopCount(b);
    }

    private byte ByteAt(long block) => _pieces[(int)(block / PieceBlocks)][(block % PieceBlocks) >> 3];

    private bool IsUsed(long block) => (ByteAt(block) >> (int)(block & 7) & 1) != 0;
}
