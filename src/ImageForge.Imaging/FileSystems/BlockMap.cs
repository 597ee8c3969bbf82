using System.Numerics;

namespace ImageForge.Imaging.FileSystems;

/// <summary>One bit per block of a volume; 1 = the block holds content.</summary>
public sealed class BlockMap
{
    private readonly ulong[] _words;

    public BlockMap(long blockCount)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(blockCount);
        BlockCount = blockCount;
        _words = new ulong[(blockCount + 63) / 64];
    }

    public long BlockCount { get; }

    public bool this[long block]
    {
        get
        {
            CheckRange(block, 1);
            return (_words[block >> 6] >> (int)(block & 63) & 1) != 0;
        }
    }

    public static BlockMap AllUsed(long blockCount)
    {
        var map = new BlockMap(blockCount);
        map.Set(0, blockCount);
        return map;
    }

    /// <summary>Marks <paramref name="count"/> blocks from <paramref name="first"/> as used.</summary>
    public void Set(long first, long count) => Fill(first, count, used: true);

    /// <summary>Marks <paramref name="count"/> blocks from <paramref name="first"/> as unused.</summary>
    public void Clear(long first, long count) => Fill(first, count, used: false);

    /// <summary>Marks the blocks whose bit is 1 in <paramref name="bits"/> (lowest bit of the first byte = block <paramref name="first"/>); others stay as they are.</summary>
    public void SetBits(long first, ReadOnlySpan<byte> bits, int count)
    {
        CheckRange(first, count);
        for (var done = 0; done < count; done += 8)
        {
            var value = (ulong)bits[done >> 3];
            if (count - done < 8)
                value &= (1UL << (count - done)) - 1;
            if (value == 0)
                continue;
            var (word, shift) = ((first + done) >> 6, (int)((first + done) & 63));
            _words[word] |= value << shift;
            if (shift > 56 && value >> (64 - shift) is var carry and not 0)
                _words[word + 1] |= carry;
        }
    }

    /// <summary>Number of blocks in the range that are 1 here and 0 in <paramref name="other"/>, a map of as many blocks.</summary>
    public long CountWithout(BlockMap other, long first, long count)
    {
        CheckRange(first, count);
        other.CheckRange(first, count);
        long total = 0;
        for (var block = first; block < first + count;)
        {
            var bits = (int)Math.Min(64 - (block & 63), first + count - block);
            total += BitOperations.PopCount(_words[block >> 6] & ~other._words[block >> 6] & Mask(block, bits));
            block += bits;
        }
        return total;
    }

    /// <summary>The next used blocks at or after <paramref name="from"/>, as many as follow each other; false: there are none.</summary>
    public bool NextRun(long from, out long first, out long count)
    {
        first = Next(from, used: true);
        count = Next(first, used: false) - first;
        return count > 0;
    }

    /// <summary>Number of used blocks in the range.</summary>
    public long CountUsed(long first, long count)
    {
        CheckRange(first, count);
        long total = 0;
        for (var block = first; block < first + count;)
        {
            var bits = (int)Math.Min(64 - (block & 63), first + count - block);
            total += BitOperations.PopCount(_words[block >> 6] & Mask(block, bits));
            block += bits;
        }
        return total;
    }

    public long CountUsed() => CountUsed(0, BlockCount);

    /// <summary>Copies the bits of <paramref name="count"/> blocks from <paramref name="first"/>, least significant bit first; spare bits of the last byte are 0.</summary>
    /// <param name="bits">Exactly ⌈<paramref name="count"/> / 8⌉ bytes.</param>
    public void CopyTo(long first, int count, Span<byte> bits)
    {
        CheckRange(first, count);
        if (bits.Length != (count + 7) / 8)
            throw new ArgumentException($"{count} blocks need {(count + 7) / 8} bytes, not {bits.Length}", nameof(bits));
        for (var i = 0; i < bits.Length; i++)
        {
            var block = first + 8L * i;
            var word = (int)(block >> 6);
            var shift = (int)(block & 63);
            var value = _words[word] >> shift;
            if (shift > 56 && word + 1 < _words.Length)
                value |= _words[word + 1] << (64 - shift);
            bits[i] = (byte)value;
        }
        if ((count & 7) != 0)
            bits[^1] &= (byte)((1 << (count & 7)) - 1);
    }

    private long Next(long from, bool used)
    {
        for (var block = from; block < BlockCount; block = (block | 63) + 1)
        {
            var word = (used ? _words[block >> 6] : ~_words[block >> 6]) >> (int)(block & 63);
            if (word != 0)
                return Math.Min(BlockCount, block + BitOperations.TrailingZeroCount(word));
        }
        return BlockCount;
    }

    private void Fill(long first, long count, bool used)
    {
        CheckRange(first, count);
        for (var block = first; block < first + count;)
        {
            var bits = (int)Math.Min(64 - (block & 63), first + count - block);
            if (used)
                _words[block >> 6] |= Mask(block, bits);
            else
                _words[block >> 6] &= ~Mask(block, bits);
            block += bits;
        }
    }

    private static ulong Mask(long block, int bits) =>
        (bits == 64 ? ulong.MaxValue : (1UL << bits) - 1) << (int)(block & 63);

    private void CheckRange(long first, long count)
    {
        if (first < 0 || count < 0 || first > BlockCount - count)
            throw new ArgumentOutOfRangeException(nameof(first), $"blocks {first}+{count} are outside a map of {BlockCount}");
    }
}
