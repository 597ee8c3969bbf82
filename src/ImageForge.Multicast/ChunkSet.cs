using System.Numerics;

namespace ImageForge.Multicast;

/// <summary>A set of chunk numbers below <paramref name="chunks"/>, one bit each. Not safe for several threads.</summary>
public sealed class ChunkSet(int chunks)
{
    private readonly ulong[] _bits = new ulong[(chunks + 63) / 64];

    /// <summary>Numbers that the set may hold are 0 to this, without it.</summary>
    public int Chunks { get; } = chunks;

    /// <summary>Numbers in the set.</summary>
    public int Count { get; private set; }

    public static ChunkSet Full(int chunks)
    {
        var set = new ChunkSet(chunks);
        set.AddRun(0, chunks);
        return set;
    }

    public bool Contains(int chunk) => (uint)chunk < (uint)Chunks && (_bits[chunk >> 6] & (1UL << chunk)) != 0;

    /// <summary>False: it was there already.</summary>
    public bool Add(int chunk)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)chunk, (uint)Chunks, nameof(chunk));
        var bit = 1UL << chunk;
        if ((_bits[chunk >> 6] & bit) != 0)
            return false;
        _bits[chunk >> 6] |= bit;
        Count++;
        return true;
    }

    public void AddRun(int first, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Chunks - first);
        for (int at = first, end = first + length; at < end;)
        {
            var take = Math.Min(64 - (at & 63), end - at);
            var mask = (take == 64 ? ulong.MaxValue : (1UL << take) - 1) << at;
            Count += BitOperations.PopCount(mask & ~_bits[at >> 6]);
            _bits[at >> 6] |= mask;
            at += take;
        }
    }

    /// <summary>False: it was not there.</summary>
    public bool Remove(int chunk)
    {
        if (!Contains(chunk))
            return false;
        _bits[chunk >> 6] &= ~(1UL << chunk);
        Count--;
        return true;
    }

    public void UnionWith(ChunkSet other)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(other.Chunks, Chunks, nameof(other));
        Count = 0;
        for (var i = 0; i < _bits.Length; i++)
            Count += BitOperations.PopCount(_bits[i] |= other._bits[i]);
    }

    public void ExceptWith(ChunkSet other)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(other.Chunks, Chunks, nameof(other));
        Count = 0;
        for (var i = 0; i < _bits.Length; i++)
            Count += BitOperations.PopCount(_bits[i] &= ~other._bits[i]);
    }

    /// <summary>Smallest number in the set from <paramref name="from"/> on; −1: none.</summary>
    public int Next(int from) => Scan(Math.Max(0, from), 0);

    public ChunkSet Clone()
    {
        var copy = new ChunkSet(Chunks) { Count = Count };
        _bits.CopyTo(copy._bits, 0);
        return copy;
    }

    /// <summary>The numbers as runs, ascending, not touching.</summary>
    public IEnumerable<(int First, int Length)> Runs()
    {
        for (var first = Scan(0, 0); first >= 0;)
        {
            var end = Scan(first, ulong.MaxValue);
            if (end < 0)
                end = Chunks;
            yield return (first, end - first);
            first = Scan(end, 0);
        }
    }

    /// <summary>First position from <paramref name="from"/> on whose bit differs from those of <paramref name="skip"/>; −1: none.</summary>
    private int Scan(int from, ulong skip)
    {
        if (from >= Chunks)
            return -1;
        var word = (_bits[from >> 6] ^ skip) & (ulong.MaxValue << from);
        for (var i = from >> 6; ; word = _bits[i] ^ skip)
        {
            if (word != 0)
            {
                var at = (i << 6) + BitOperations.TrailingZeroCount(word);
                return at < Chunks ? at : -1;
            }
            if (++i >= _bits.Length)
                return -1;
        }
    }
}
