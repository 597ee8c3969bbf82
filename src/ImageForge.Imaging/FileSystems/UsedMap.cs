using System.Buffers.Binary;
using System.Numerics;

namespace ImageForge.Imaging.FileSystems;

/// <summary>
/// Collects what is used on a volume, by bytes, into a <see cref="BlockMap"/> of bounded size: where the file system's own unit
/// would need too many bits, one bit stands for several units. Rounding always goes towards used.
/// </summary>
internal sealed class UsedMap
{
    /// <summary>Bits of the largest map, 32 MiB of memory: 1 TiB at 4 KiB. The agent images within 120 MiB.</summary>
    private const long MaxBlocks = 1L << 28;

    private readonly long _length;
    private readonly int _shift;

    /// <param name="length">Bytes of the volume.</param>
    /// <param name="unit">The file system's unit, a power of two.</param>
    public UsedMap(long length, int unit, int sectorSize)
    {
        _length = length;
        _shift = BitOperations.Log2((uint)Math.Max(unit, sectorSize));
        while (((length - 1) >> _shift) >= MaxBlocks && _shift < 30)
            _shift++;
        Blocks = new BlockMap((length + BlockSize - 1) >> _shift);
    }

    public int BlockSize => 1 << _shift;

    public BlockMap Blocks { get; }

    /// <exception cref="DamagedVolumeException">The range is not inside the volume.</exception>
    public void MarkBytes(long offset, long count)
    {
        if (count == 0)
            return;
        if (offset < 0 || count < 0 || offset > _length - count)
            throw new DamagedVolumeException("something points outside the volume");
        var first = offset >> _shift;
        Blocks.Set(first, ((offset + count - 1) >> _shift) - first + 1);
    }

    /// <summary>Everything from here to the volume's end.</summary>
    public void MarkFrom(long offset) => MarkBytes(offset, _length - offset);

    public bool IsMarked(long offset) => Blocks[offset >> _shift];

    /// <summary>Marks what a bitmap (lowest bit first) marks: bit 0 stands for <paramref name="unit"/> bytes at <paramref name="offset"/>.</summary>
    public void MarkBits(long offset, int unit, ReadOnlySpan<byte> bits, int count)
    {
        if (unit == BlockSize && offset % unit == 0)
        {
            if (offset < 0 || offset / unit > Blocks.BlockCount - count)
                throw new DamagedVolumeException("a bitmap reaches outside the volume");
            Blocks.SetBits(offset >> _shift, bits, count);
            return;
        }
        for (var at = 0; at < count;)
        {
            var first = NextBit(bits, at, count, set: true);
            at = NextBit(bits, first, count, set: false);
            MarkBytes(offset + (long)first * unit, (long)(at - first) * unit);
        }
    }

    private static int NextBit(ReadOnlySpan<byte> bits, int from, int count, bool set)
    {
        while (from < count)
        {
            var rest = bits[(from >> 3)..];
            ulong word;
            int available;
            if (rest.Length >= 8)
                (word, available) = (BinaryPrimitives.ReadUInt64LittleEndian(rest), 64);
            else
                (word, available) = (rest[0], 8);
            word = (set ? word : ~word) >> (from & 7);
            available -= from & 7;
            if (available < 64)
                word &= (1UL << available) - 1;
            if (word != 0)
                return Math.Min(count, from + BitOperations.TrailingZeroCount(word));
            from += available;
        }
        return count;
    }
}
