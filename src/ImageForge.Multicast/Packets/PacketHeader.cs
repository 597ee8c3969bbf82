using System.Buffers.Binary;
using ImageForge.Multicast.Blocks;

namespace ImageForge.Multicast.Packets;

public enum PacketKind : byte
{
    Fragment = 1,
    Parity = 2,
    Announcement = 3,
}

/// <summary>
/// The first 28 bytes of every packet, in the clear and authenticated (README.md, Packets):
/// magic u16, version u8, kind u8, tag of the epoch u32, sequence u64, block u32, length u32, group u16, index u16, big-endian.
/// </summary>
/// <param name="Tag">Tag of the epoch.</param>
/// <param name="Sequence">From 1, never twice in an epoch.</param>
/// <param name="Length">Bytes of the block; 0 in an announcement.</param>
/// <param name="Index">Of the fragment in its group, or the parity row.</param>
public readonly record struct PacketHeader(PacketKind Kind, uint Tag, ulong Sequence, uint Block, int Length, int Group, int Index)
{
    /// <summary>Bytes of the header.</summary>
    public const int Size = 28;

    /// <summary>Bytes of a packet besides what it carries: the header and the tag of AES-GCM.</summary>
    public const int Overhead = Size + PacketSeal.TagBytes;

    /// <summary>An epoch ends before this sequence.</summary>
    public const ulong SequenceEnd = uint.MaxValue;

    private const uint MagicAndVersion = 0x49460100;
    private const int TagAt = 4, SequenceAt = 8, BlockAt = 16, LengthAt = 20, GroupAt = 24, IndexAt = 26;

    public void Write(Span<byte> packet)
    {
        BinaryPrimitives.WriteUInt32BigEndian(packet, MagicAndVersion | (byte)Kind);
        BinaryPrimitives.WriteUInt32BigEndian(packet[TagAt..], Tag);
        BinaryPrimitives.WriteUInt64BigEndian(packet[SequenceAt..], Sequence);
        BinaryPrimitives.WriteUInt32BigEndian(packet[BlockAt..], Block);
        BinaryPrimitives.WriteUInt32BigEndian(packet[LengthAt..], (uint)Length);
        BinaryPrimitives.WriteUInt16BigEndian(packet[GroupAt..], (ushort)Group);
        BinaryPrimitives.WriteUInt16BigEndian(packet[IndexAt..], (ushort)Index);
    }

    /// <summary>
    /// True for a packet of this epoch whose numbers can be: what it names lies within a block of its length. Whether it is genuine
    /// only <see cref="PacketSeal.Open"/> can tell, and nothing may change before it did.
    /// </summary>
    public static bool TryRead(ReadOnlySpan<byte> packet, uint tag, int fragmentBytes, out PacketHeader header)
    {
        header = default;
        if (packet.Length != Overhead + fragmentBytes || BinaryPrimitives.ReadUInt32BigEndian(packet[TagAt..]) != tag)
            return false;
        var kind = BinaryPrimitives.ReadUInt32BigEndian(packet) ^ MagicAndVersion;
        var sequence = ReadSequence(packet);
        var length = BinaryPrimitives.ReadUInt32BigEndian(packet[LengthAt..]);
        int group = BinaryPrimitives.ReadUInt16BigEndian(packet[GroupAt..]), index = BinaryPrimitives.ReadUInt16BigEndian(packet[IndexAt..]);
        if (kind is < (uint)PacketKind.Fragment or > (uint)PacketKind.Announcement || sequence is 0 or >= SequenceEnd)
            return false;
        if (kind == (uint)PacketKind.Announcement)
        {
            if (length != 0 || group != 0 || index != 0)
                return false;
        }
        else
        {
            if (length is 0 or > BlockShape.LargestBlock)
                return false;
            var shape = new BlockShape((int)length, fragmentBytes);
            if (group >= shape.Groups || index >= (kind == (uint)PacketKind.Fragment ? shape.GroupSize(group) : BlockShape.MaxRows))
                return false;
        }
        header = new PacketHeader((PacketKind)kind, tag, sequence, BinaryPrimitives.ReadUInt32BigEndian(packet[BlockAt..]), (int)length, group, index);
        return true;
    }

    /// <summary>The sequence alone: the second half of the nonce.</summary>
    internal static ulong ReadSequence(ReadOnlySpan<byte> packet) => BinaryPrimitives.ReadUInt64BigEndian(packet[SequenceAt..]);
}
