using System.Buffers.Binary;
using System.Security.Cryptography;

namespace ImageForge.Imaging.Chunks;

/// <summary>The name of a chunk: SHA-256 of its plain content with unused blocks zeroed. 32 bytes, printed as 64 lower-case hex digits.</summary>
public readonly record struct ChunkId : IComparable<ChunkId>
{
    public const int Size = 32;

    private readonly ulong _a, _b, _c, _d;

    public ChunkId(ReadOnlySpan<byte> hash)
    {
        if (hash.Length != Size)
            throw new ArgumentException($"a chunk id has {Size} bytes, not {hash.Length}", nameof(hash));
        _a = BinaryPrimitives.ReadUInt64BigEndian(hash);
        _b = BinaryPrimitives.ReadUInt64BigEndian(hash[8..]);
        _c = BinaryPrimitives.ReadUInt64BigEndian(hash[16..]);
        _d = BinaryPrimitives.ReadUInt64BigEndian(hash[24..]);
    }

    public static ChunkId Of(ReadOnlySpan<byte> plain)
    {
        Span<byte> hash = stackalloc byte[Size];
        SHA256.HashData(plain, hash);
        return new ChunkId(hash);
    }

    public void CopyTo(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64BigEndian(destination, _a);
        BinaryPrimitives.WriteUInt64BigEndian(destination[8..], _b);
        BinaryPrimitives.WriteUInt64BigEndian(destination[16..], _c);
        BinaryPrimitives.WriteUInt64BigEndian(destination[24..], _d);
    }

    /// <summary>The order of the bytes, so that a sorted array of ids can be searched.</summary>
    public int CompareTo(ChunkId other)
    {
        var order = _a.CompareTo(other._a);
        if (order == 0)
            order = _b.CompareTo(other._b);
        if (order == 0)
            order = _c.CompareTo(other._c);
        return order == 0 ? _d.CompareTo(other._d) : order;
    }

    public static bool operator <(ChunkId left, ChunkId right) => left.CompareTo(right) < 0;
    public static bool operator >(ChunkId left, ChunkId right) => left.CompareTo(right) > 0;
    public static bool operator <=(ChunkId left, ChunkId right) => left.CompareTo(right) <= 0;
    public static bool operator >=(ChunkId left, ChunkId right) => left.CompareTo(right) >= 0;

    public byte[] ToArray()
    {
        var bytes = new byte[Size];
        CopyTo(bytes);
        return bytes;
    }

    /// <summary>Only exactly 64 lower-case hex digits: what reaches a path must have one spelling.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out ChunkId id)
    {
        id = default;
        if (text.Length != 2 * Size)
            return false;
        Span<byte> bytes = stackalloc byte[Size];
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            var nibble = c switch { >= '0' and <= '9' => c - '0', >= 'a' and <= 'f' => c - 'a' + 10, _ => -1 };
            if (nibble < 0)
                return false;
            bytes[i / 2] = (byte)(bytes[i / 2] << 4 | nibble);
        }
        id = new ChunkId(bytes);
        return true;
    }

    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[Size];
        CopyTo(bytes);
        return Convert.ToHexStringLower(bytes);
    }
}
