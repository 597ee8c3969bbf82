using System.Buffers;
using System.Buffers.Binary;

namespace ImageForge.Multicast.Messages;

/// <summary>Big-endian fields into a buffer of known length.</summary>
internal ref struct MessageWriter(IBufferWriter<byte> to, int length)
{
    private readonly Span<byte> _span = to.GetSpan(length)[..length];
    private int _at;

    public void U8(byte value) => _span[_at++] = value;

    public void U16(ushort value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(_span[_at..], value);
        _at += 2;
    }

    public void U32(uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(_span[_at..], value);
        _at += 4;
    }

    public void U64(ulong value)
    {
        BinaryPrimitives.WriteUInt64BigEndian(_span[_at..], value);
        _at += 8;
    }

    public void Bytes(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_span[_at..]);
        _at += bytes.Length;
    }

    public readonly void Done() => to.Advance(_at);

    public static void Pair(IBufferWriter<byte> to, MessageType type, byte value)
    {
        var writer = new MessageWriter(to, 2);
        writer.U8((byte)type);
        writer.U8(value);
        writer.Done();
    }

    public static void Runs(IBufferWriter<byte> to, ChunkSet set)
    {
        var writer = new MessageWriter(to, 4 + (8 * set.Runs().Count()));
        writer.U32((uint)set.Runs().Count());
        foreach (var (first, length) in set.Runs())
        {
            writer.U32((uint)first);
            writer.U32((uint)length);
        }
        writer.Done();
    }
}
