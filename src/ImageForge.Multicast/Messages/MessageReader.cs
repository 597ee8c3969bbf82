using System.Buffers.Binary;
using System.Net;
using ImageForge.Multicast.Blocks;

namespace ImageForge.Multicast.Messages;

/// <summary>
/// Reads the messages that one WebSocket message holds, one after the other. Whatever the bytes are: no exception, nothing allocated that
/// the session's own number of chunks does not bound, and <see cref="Bad"/> from the first field that is out of its range.
/// </summary>
/// <param name="chunks">Chunks of the session.</param>
internal ref struct MessageReader(ReadOnlySpan<byte> bytes, int chunks)
{
    private ReadOnlySpan<byte> _rest = bytes;

    /// <summary>What was read last, or comes next, is not of the protocol.</summary>
    public bool Bad { get; private set; }

    /// <summary>The next message of a member; null: the end, or <see cref="Bad"/>.</summary>
    public ControlMessage? NextOfMember() => Next() switch
    {
        MessageType.Join => Join(),
        MessageType.Report => Kept(new ReportMessage(U8(), U64(), U64(), U64(), U64(), U64(), U32(), U32(), U32(), (MemberLimit)U8(highest: (byte)MemberLimit.Processor))),
        MessageType.Nack => Nack(),
        MessageType.Lack => Kept(new LackMessage(U32(), Runs())),
        MessageType.Leave => Kept(new LeaveMessage((LeaveReason)U8(highest: (byte)LeaveReason.Stopped))),
        null => null,
        _ => Fail(),
    };

    /// <summary>The next message of the sender; null: the end, or <see cref="Bad"/>.</summary>
    public ControlMessage? NextOfSender() => Next() switch
    {
        MessageType.Welcome => Welcome(),
        MessageType.Step => Kept(new StepMessage(U8(highest: 1) == 1, U8(highest: 1) == 1, U16())),
        MessageType.PassEnd => Kept(new PassEndMessage(U32(), U32(), U64())),
        MessageType.Finish => Kept(new FinishMessage((FinishReason)U8(highest: (byte)FinishReason.Stopped))),
        MessageType.Waiting => Kept(new WaitingMessage(U16(), U16(), U32())),
        null => null,
        _ => Fail(),
    };

    private MessageType? Next() => Bad || _rest.IsEmpty ? null : (MessageType)U8();

    private ControlMessage? Kept(ControlMessage message) => Bad ? null : message;

    private ControlMessage? Fail()
    {
        Bad = true;
        return null;
    }

    private ControlMessage? Join()
    {
        var version = U8();
        // A later version may go on differently: say so instead of misreading it.
        if (version != ControlMessage.Version)
        {
            _rest = default;
            return Kept(new JoinMessage(version, 0, new ChunkSet(chunks)));
        }
        var packets = U32();
        if (U32() != chunks)
            return Fail();
        return Kept(new JoinMessage(version, packets, Runs()));
    }

    private ControlMessage? Nack()
    {
        var epoch = U8();
        var asOf = U64();
        var block = U32();
        var groups = U16();
        if (groups == 0 || groups > _rest.Length)
            return Fail();
        var rows = Take(groups).ToArray();
        return rows.AsSpan().IndexOfAnyExceptInRange((byte)0, (byte)BlockShape.MaxRows) >= 0 ? Fail() : new NackMessage(epoch, asOf, block, rows);
    }

    private ControlMessage? Welcome()
    {
        var version = U8();
        if (version != ControlMessage.Version)
            return Fail();
        var (member, epoch, tag) = (U16(), U32(), U32());
        var (key, salt) = (Take(WelcomeMessage.KeyBytes).ToArray(), Take(WelcomeMessage.SaltBytes).ToArray());
        var family = U8();
        var address = Take(16);
        var (port, fragment, count) = (U16(), U16(), U32());
        if (Bad || family is not (4 or 6) || port == 0 || fragment == 0 || fragment % 64 != 0 || count != chunks)
            return Fail();
        var group = new IPAddress(address[..(family == 4 ? 4 : 16)]);
        return new WelcomeMessage(version, member, epoch, tag, key, salt, group, port, fragment, count);
    }

    private ChunkSet Runs()
    {
        var set = new ChunkSet(chunks);
        var count = U32();
        long free = 0;
        for (var i = 0u; i < count && !Bad; i++)
        {
            long first = U32(), length = U32();
            if (Bad || length == 0 || first < free || first + length > chunks)
            {
                Bad = true;
                break;
            }
            set.AddRun((int)first, (int)length);
            free = first + length + 1;
        }
        return set;
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > _rest.Length)
        {
            Bad = true;
            _rest = default;
            return default;
        }
        var taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }

    private byte U8(byte highest = byte.MaxValue)
    {
        var taken = Take(1);
        if (Bad || taken[0] > highest)
        {
            Bad = true;
            return 0;
        }
        return taken[0];
    }

    private ushort U16() => Take(2) is { Length: 2 } taken ? BinaryPrimitives.ReadUInt16BigEndian(taken) : (ushort)0;

    private uint U32() => Take(4) is { Length: 4 } taken ? BinaryPrimitives.ReadUInt32BigEndian(taken) : 0;

    private ulong U64() => Take(8) is { Length: 8 } taken ? BinaryPrimitives.ReadUInt64BigEndian(taken) : 0;
}
