using ImageForge.Multicast.Messages;
using ImageForge.Multicast.Packets;
using ImageForge.Multicast.Receiving;
using ImageForge.Multicast.Sending;

namespace ImageForge.Multicast.Tests.Simulation;

/// <summary>A machine of the room: its network, its socket, its receiver core and its disk.</summary>
internal sealed class SimulatedMember
{
    private const int SocketPackets = 4096;
    private const double SinkBytes = 16 << 20;

    private readonly Room _room;
    private readonly Random _random;
    private readonly Queue<PlannedPacket> _socket = new();
    private readonly Queue<(long At, object Message)> _down = new();
    private readonly Queue<(long At, List<ControlMessage> Messages)> _up = new();
    private long _untilLoss;
    private double _waiting;
    private long _drained;
    private ulong _drops;
    private bool _paused;
    private bool _blocked;
    private long _wake;
    private uint? _epoch;

    public SimulatedMember(Room room, int index, MemberTraits traits)
    {
        (_room, Index, Traits) = (room, index, traits);
        _random = new Random((room.Seed * 1_000_003) + index);
        _untilLoss = NextLoss();
        Core = NewCore(ChunkSet.Full(room.Chunks));
    }

    public int Index { get; }

    public MemberTraits Traits { get; }

    public ReceiverCore Core { get; private set; }

    /// <summary>Its number at the sender; null: not joined.</summary>
    public int? Number { get; private set; }

    public bool Dead { get; private set; }

    public bool HasDied { get; private set; }

    /// <summary>When it had everything, or went on over HTTP; −1: it has not ended.</summary>
    public long EndedAt { get; private set; } = -1;

    public long Lost { get; private set; }

    /// <summary>As it reckons itself.</summary>
    public long Missed => (long)Core.Sequences.Missed;

    public int LackingAtEnd { get; private set; }

    public int Joins { get; private set; }

    public void Join(long now)
    {
        if (Joins++ > 0)
            Core = NewCore(Core.Lacking);
        (_blocked, _wake, _epoch) = (false, 0, null);
        _socket.Clear();
        _down.Clear();
        _up.Clear();
        Number = _room.Sender.Join($"pc{Index}", new JoinMessage(ControlMessage.Version, SocketPackets, Core.Lacking.Clone()), now);
    }

    /// <summary>The sender is gone or has forgotten the member.</summary>
    public void Disconnect() => Number = null;

    public void FromSender(long now, object message) => _down.Enqueue((Arrival(now, _down.Count > 0 ? _down.Last().At : 0), message));

    public void Live(long now)
    {
        Accidents(now);
        if (Dead || EndedAt >= 0)
            return;
        while (_up.TryPeek(out var up) && up.At <= now)
        {
            _up.Dequeue();
            _room.Arrived(now);
            foreach (var message in up.Messages)
                if (Number is { } number)
                    _room.Sender.Hear(number, message, now);
        }
        if (_paused || Number is null)
            return;
        while (_down.TryPeek(out var down) && down.At <= now)
        {
            _down.Dequeue();
            if (down.Message is uint epoch)
            {
                // Only with its key can packets of an epoch be opened.
                Core.Welcome(Number.Value, epoch, Room.FragmentBytes, now);
                _epoch = epoch;
                _socket.Clear();
            }
            else
                Core.Hear((ControlMessage)down.Message, now);
        }
        Drain(now);
        while (!_blocked && _socket.TryDequeue(out var packet))
            Take(packet, now);
        if (now >= _wake || Core.IsDue(now))
            Speak(now);
    }

    /// <summary>A batch of packets comes by.</summary>
    public void Receive(ReadOnlySpan<PlannedPacket> packets, uint epoch, long now)
    {
        if (Dead || Number is null || EndedAt >= 0 || _epoch != epoch)
            return;
        for (var i = 0; i < packets.Length; i++)
        {
            if (_untilLoss-- == 0)
            {
                _untilLoss = NextLoss();
                Lost++;
            }
            else if (_blocked || _paused || _socket.Count > 0)
            {
                if (_socket.Count < SocketPackets)
                    _socket.Enqueue(packets[i]);
                else
                    _drops++;
            }
            else
            {
                Take(packets[i], now);
            }
        }
        Core.Dropped.Clear();
        if (!_blocked && !_paused && Core.IsDue(now))
            Speak(now);
    }

    private ReceiverCore NewCore(ChunkSet lacking) => new(new ReceiverCoreOptions(Patience: 5_000_000, SocketPackets: SocketPackets), lacking, new Random((_room.Seed * 999_983) - Index));

    private void Take(in PlannedPacket packet, long now)
    {
        if (!Core.Verified(packet.Kind, packet.Sequence, packet.Block, now))
            return;
        if (packet.Kind == PacketKind.Announcement)
        {
            Core.Hear(_room.AnnouncementOf(packet.Sequence), packet.Sequence, now);
            return;
        }
        var block = _room.Block(packet.Block);
        if (Core.Admit(packet.Block, block.Length, HasRoom) != Admission.Open)
            return;
        // Sequences do not repeat, so each packet of an open block is new to it, until its group is whole.
        var whole = packet.Kind == PacketKind.Fragment
            ? Core.TookFragment(packet.Block, packet.Group)
            : Core.TookRow(packet.Block, packet.Group, packet.Index, isNew: true, now);
        if (!whole)
            return;
        foreach (var chunk in block.Chunks)
        {
            if (!Core.Lacking.Contains(chunk))
                continue;
            Core.Got(chunk);
            _waiting += Traits.Disk > 0 ? Room.ChunkBytes : 0;
        }
        if (_waiting > SinkBytes)
        {
            _blocked = true;
            Core.SinkWaits(true, now);
        }
    }

    private bool HasRoom => _waiting + (1 << 20) <= SinkBytes;

    private void Drain(long now)
    {
        _waiting = Math.Max(0, _waiting - (Traits.Disk * (now - _drained) / 1e6));
        _drained = now;
        if (_blocked && _waiting <= SinkBytes)
        {
            _blocked = false;
            Core.SinkWaits(false, now);
        }
    }

    private void Speak(long now)
    {
        var said = new List<ControlMessage>();
        Core.Poll(now, new ReceiverStatus(HasRoom, 0, _drops, (uint)_waiting, _blocked ? MemberLimit.Disk : MemberLimit.None), said, out _wake);
        if (said.Count > 0)
            _up.Enqueue((Arrival(now, _up.Count > 0 ? _up.Last().At : 0), said));
        if (Core.End is null)
            return;
        (EndedAt, LackingAtEnd) = (now, Core.Lacking.Count);
        if (Number is { } number)
        {
            foreach (var message in said)
                _room.Sender.Hear(number, message, now);
            _room.Sender.Gone(number, now);
        }
        Number = null;
    }

    private void Accidents(long now)
    {
        var seconds = now / 1e6;
        _paused = Traits.PauseAt > 0 && seconds >= Traits.PauseAt && seconds < Traits.PauseAt + Traits.PauseFor;
        if (Traits.DieAt > 0 && !HasDied && seconds >= Traits.DieAt)
        {
            // Its disk is as it was at the power cut, its memory is not; the sender is not told.
            (Dead, HasDied) = (true, true);
            _up.Clear();
        }
        if (Dead && seconds >= Traits.DieAt + Traits.BackAfter)
        {
            Dead = false;
            if (Number is { } old)
                _room.Sender.Gone(old, now);
            Join(now);
        }
        else if (Number is null && EndedAt < 0 && !Dead && !_paused && _room.MayJoin(this))
        {
            Join(now);
        }
    }

    private long Arrival(long now, long after) => Math.Max(after, now + (long)((Traits.Delay + (Traits.Jitter * _random.NextDouble())) * 1e6));

    private long NextLoss() => Traits.Loss switch
    {
        <= 0 => long.MaxValue,
        >= 1 => 0,
        _ => (long)(Math.Log(1 - _random.NextDouble()) / Math.Log(1 - Traits.Loss)),
    };
}
