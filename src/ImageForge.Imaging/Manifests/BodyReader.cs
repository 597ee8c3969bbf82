using System.Buffers.Binary;
using System.Text;

namespace ImageForge.Imaging.Manifests;

/// <summary>
/// Reads little-endian fields of the body. The first field that does not fit sets <see cref="Problem"/>; from then on every read
/// gives 0 or nothing, so callers check once per loop instead of once per field.
/// </summary>
internal sealed class BodyReader(ReadOnlyMemory<byte> body)
{
    private static readonly UTF8Encoding s_strict = new(false, throwOnInvalidBytes: true);
    private int _position;

    public string? Problem { get; private set; }

    public bool IsSound => Problem is null;

    public int Left => body.Length - _position;

    public void Fail(string problem) => Problem ??= $"{problem} (at body byte {_position})";

    /// <summary>Reports <paramref name="problem"/> unless the condition holds.</summary>
    public void Require(bool condition, string problem)
    {
        if (!condition)
            Fail(problem);
    }

    /// <summary>A slice of the body, not a copy.</summary>
    public ReadOnlyMemory<byte> Bytes(long count)
    {
        if (Problem is not null)
            return default;
        if (count < 0 || count > Left)
        {
            Fail($"{count} bytes are announced and {Left} are left");
            return default;
        }
        var slice = body.Slice(_position, (int)count);
        _position += (int)count;
        return slice;
    }

    public byte U8() => Bytes(1).Span is [var value] ? value : (byte)0;

    public ushort U16() => Bytes(2).Span is { Length: 2 } s ? BinaryPrimitives.ReadUInt16LittleEndian(s) : (ushort)0;

    public uint U32() => Bytes(4).Span is { Length: 4 } s ? BinaryPrimitives.ReadUInt32LittleEndian(s) : 0;

    public ulong U64() => Bytes(8).Span is { Length: 8 } s ? BinaryPrimitives.ReadUInt64LittleEndian(s) : 0;

    public Guid Guid() => Bytes(16).Span is { Length: 16 } s ? new Guid(s) : default;

    /// <summary>A non-negative 64-bit number.</summary>
    public long I64()
    {
        var value = U64();
        Require(value <= long.MaxValue, "a number exceeds 63 bits");
        return IsSound ? (long)value : 0;
    }

    /// <summary>A non-negative 32-bit number.</summary>
    public int I32()
    {
        var value = U32();
        Require(value <= int.MaxValue, "a number exceeds 31 bits");
        return IsSound ? (int)value : 0;
    }

    /// <summary>LEB128, at most 32 bits.</summary>
    public uint VarInt()
    {
        ulong value = 0;
        for (var shift = 0; shift < 35; shift += 7)
        {
            var b = U8();
            value |= (ulong)(b & 0x7F) << shift;
            if ((b & 0x80) == 0)
            {
                Require(value <= uint.MaxValue, "a variable-length number exceeds 32 bits");
                return IsSound ? (uint)value : 0;
            }
        }
        Fail("a variable-length number has more than five bytes");
        return 0;
    }

    /// <summary>u16 length, then UTF-8; length 0xFFFF is null.</summary>
    public string? Text()
    {
        var length = U16();
        if (length == ManifestFormat.NoText || Problem is not null)
            return null;
        Require(length <= ManifestFormat.MaxTextBytes, $"a text of {length} bytes is longer than {ManifestFormat.MaxTextBytes}");
        try
        {
            return s_strict.GetString(Bytes(length).Span);
        }
        catch (DecoderFallbackException)
        {
            Fail("a text is not UTF-8");
            return null;
        }
    }
}
