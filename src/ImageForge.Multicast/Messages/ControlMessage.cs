using System.Buffers;
using System.Net;

namespace ImageForge.Multicast.Messages;

/// <summary>A message between member and sender. Layouts: README.md, Messages.</summary>
internal abstract record ControlMessage
{
    /// <summary>Version of the protocol that join and welcome carry.</summary>
    public const byte Version = 1;

    public abstract void Write(IBufferWriter<byte> to);
}

/// <param name="SocketPackets">Packets that wait in its socket without loss.</param>
internal sealed record JoinMessage(byte Spoken, uint SocketPackets, ChunkSet Lacking) : ControlMessage
{
    public override void Write(IBufferWriter<byte> to)
    {
        var writer = new MessageWriter(to, 14);
        writer.U8((byte)MessageType.Join);
        writer.U8(Spoken);
        writer.U32(SocketPackets);
        writer.U32((uint)Lacking.Chunks);
        writer.Done();
        MessageWriter.Runs(to, Lacking);
    }
}

/// <param name="Epoch">Lowest byte of the epoch that the sequences belong to.</param>
/// <param name="Highest">Highest verified sequence of the epoch; 0: none.</param>
/// <param name="Verified">Packets of the epoch that verified.</param>
/// <param name="Refused">Packets that did not, since the join.</param>
/// <param name="Missed">Packets of the epoch that did not arrive, those that the socket dropped included.</param>
/// <param name="Drops">Packets that the socket dropped, since the join.</param>
/// <param name="TurnedAway">Blocks that were not begun for want of room, since the join.</param>
internal sealed record ReportMessage(
    byte Epoch,
    ulong Highest,
    ulong Verified,
    ulong Refused,
    ulong Missed,
    ulong Drops,
    uint TurnedAway,
    uint Lacking,
    uint WaitingBytes,
    MemberLimit Limit) : ControlMessage
{
    public override void Write(IBufferWriter<byte> to)
    {
        var writer = new MessageWriter(to, 55);
        writer.U8((byte)MessageType.Report);
        writer.U8(Epoch);
        writer.U64(Highest);
        writer.U64(Verified);
        writer.U64(Refused);
        writer.U64(Missed);
        writer.U64(Drops);
        writer.U32(TurnedAway);
        writer.U32(Lacking);
        writer.U32(WaitingBytes);
        writer.U8((byte)Limit);
        writer.Done();
    }
}

/// <param name="AsOf">Highest verified sequence when it was reckoned: rows sent later are not accounted for in it.</param>
/// <param name="Rows">Rows needed, per group of the block.</param>
internal sealed record NackMessage(byte Epoch, ulong AsOf, uint Block, byte[] Rows) : ControlMessage
{
    public override void Write(IBufferWriter<byte> to)
    {
        var writer = new MessageWriter(to, 16 + Rows.Length);
        writer.U8((byte)MessageType.Nack);
        writer.U8(Epoch);
        writer.U64(AsOf);
        writer.U32(Block);
        writer.U16((ushort)Rows.Length);
        foreach (var rows in Rows)
            writer.U8(rows);
        writer.Done();
    }
}

/// <summary>The answer to <see cref="PassEndMessage"/>.</summary>
internal sealed record LackMessage(uint Pass, ChunkSet Lacking) : ControlMessage
{
    public override void Write(IBufferWriter<byte> to)
    {
        var writer = new MessageWriter(to, 5);
        writer.U8((byte)MessageType.Lack);
        writer.U32(Pass);
        writer.Done();
        MessageWriter.Runs(to, Lacking);
    }
}

internal sealed record LeaveMessage(LeaveReason Reason) : ControlMessage
{
    public override void Write(IBufferWriter<byte> to) => MessageWriter.Pair(to, MessageType.Leave, (byte)Reason);
}

internal sealed record WelcomeMessage(
    byte Spoken,
    ushort Member,
    uint Epoch,
    uint Tag,
    byte[] Key,
    byte[] Salt,
    IPAddress Group,
    ushort Port,
    ushort FragmentBytes,
    uint Chunks) : ControlMessage
{
    public const int KeyBytes = 16;
    public const int SaltBytes = 4;

    public override void Write(IBufferWriter<byte> to)
    {
        var writer = new MessageWriter(to, 57);
        writer.U8((byte)MessageType.Welcome);
        writer.U8(Spoken);
        writer.U16(Member);
        writer.U32(Epoch);
        writer.U32(Tag);
        writer.Bytes(Key);
        writer.Bytes(Salt);
        var address = Group.GetAddressBytes();
        writer.U8((byte)(address.Length == 4 ? 4 : 6));
        writer.Bytes(address);
        writer.Bytes(new byte[16 - address.Length]);
        writer.U16(Port);
        writer.U16(FragmentBytes);
        writer.U32(Chunks);
        writer.Done();
    }

    // Without the key: a record prints its members, and keys are never logged.
    public override string ToString() => $"welcome of member {Member} to epoch {Epoch}";
}

/// <summary>The stream runs, and whether the pace waits for the member.</summary>
/// <param name="Pacer">It reports often, until an announcement says otherwise.</param>
/// <param name="Members">Members of the session.</param>
internal sealed record StepMessage(bool InStep, bool Pacer, ushort Members) : ControlMessage
{
    public override void Write(IBufferWriter<byte> to)
    {
        var writer = new MessageWriter(to, 5);
        writer.U8((byte)MessageType.Step);
        writer.U8(InStep ? (byte)1 : (byte)0);
        writer.U8(Pacer ? (byte)1 : (byte)0);
        writer.U16(Members);
        writer.Done();
    }
}

/// <param name="LastSequence">Nothing of the pass but repair has a higher one.</param>
internal sealed record PassEndMessage(uint Pass, uint LastBlock, ulong LastSequence) : ControlMessage
{
    public override void Write(IBufferWriter<byte> to)
    {
        var writer = new MessageWriter(to, 17);
        writer.U8((byte)MessageType.PassEnd);
        writer.U32(Pass);
        writer.U32(LastBlock);
        writer.U64(LastSequence);
        writer.Done();
    }
}

internal sealed record FinishMessage(FinishReason Reason) : ControlMessage
{
    public override void Write(IBufferWriter<byte> to) => MessageWriter.Pair(to, MessageType.Finish, (byte)Reason);
}

/// <param name="Seconds">Until it starts anyway; <see cref="uint.MaxValue"/>: no such time.</param>
internal sealed record WaitingMessage(ushort Members, ushort WaitFor, uint Seconds) : ControlMessage
{
    public override void Write(IBufferWriter<byte> to)
    {
        var writer = new MessageWriter(to, 9);
        writer.U8((byte)MessageType.Waiting);
        writer.U16(Members);
        writer.U16(WaitFor);
        writer.U32(Seconds);
        writer.Done();
    }
}
