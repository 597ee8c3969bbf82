using ImageForge.Multicast.Blocks;
using ImageForge.Multicast.Messages;
using ImageForge.Multicast.Packets;

namespace ImageForge.Multicast.Sending;

/// <summary>
/// Decides what a session sends and when, over a clock of microseconds that is given in: no bytes, no sockets, no time of its own.
/// This half is the stream: passes, blocks, packets; the other one the members. Used by one thread at a time.
/// </summary>
internal sealed partial class SenderCore
{
    private const long AnnounceEvery = 250_000;
    private const long AnnounceSoon = 20_000;

    /// <summary>How long the end of a pass waits for answers, and at most while repair goes on.</summary>
    private const long AnswersWithin = 2_000_000;
    private const long RepairWithin = 6_000_000;

    /// <summary>How long a pass waits until those who are here listen.</summary>
    private const long ReadyWithin = 500_000;

    private readonly SenderCoreOptions _options;
    private readonly PassPlan _plan;
    private readonly RepairBook _repair;
    private readonly Pace _pace;
    private readonly StepKeeping _steps = new();
    private readonly int _chunks;
    private ulong _sequence;
    private uint _blocks;
    private (uint Number, BlockShape Shape, int Next)? _block;
    private int _ahead;
    private long _announcedAt = long.MinValue / 2;
    private long _closingSince;
    private long _repairAsked;
    private bool _blocked;
    private bool _endOfEpoch;
    private bool _brokenOff;
    private int _forgeries;
    private bool _held;
    private long _begunAt;
    private long _waitingToldAt = long.MinValue / 2;

    public SenderCore(SenderCoreOptions options, int chunks, long now)
    {
        (_options, _chunks, Epoch, _tickedAt) = (options, chunks, options.Epoch, now);
        _plan = new PassPlan(chunks);
        _repair = new RepairBook(options.KeptBytes);
        _pace = new Pace(now) { Cap = options.PacketsPerSecond };
    }

    private enum Phase
    {
        Waiting,
        Streaming,

        /// <summary>Everything of the pass was sent; repair and answers are awaited.</summary>
        Closing,
        Idle,
        Stopped,
    }

    private Phase _phase = Phase.Waiting;

    public uint Epoch { get; private set; }

    public uint Pass { get; private set; }

    /// <summary>Last sequence that was given out in the epoch.</summary>
    public ulong Sequence => _sequence;

    /// <summary>The number that the next block must have.</summary>
    public uint NextBlock => _blocks;

    /// <summary>Blocks below need not be kept.</summary>
    public uint OldestBlock => _repair.Oldest;

    /// <summary>The stream would go on if it had the next block.</summary>
    public bool WantsBlock => _phase == Phase.Streaming && _block is null && !_held;

    public double? PacketsPerSecond
    {
        get => _pace.Cap;
        set => _pace.Cap = value;
    }

    public SenderState State => _phase switch
    {
        Phase.Waiting => SenderState.Waiting,
        Phase.Idle => SenderState.Idle,
        Phase.Stopped => SenderState.Ended,
        _ => SenderState.Sending,
    };

    /// <summary>Packets per second that the pace would let through now.</summary>
    public double PaceRate => _pace.Rate;

    public int ChunksDone => _plan.Done;

    public long DataPackets { get; private set; }

    public long ParityPackets { get; private set; }

    public long Announcements { get; private set; }


    /// <summary>Begins a scheduled-cast now.</summary>
    public void StartNow(long now)
    {
        if (_phase != Phase.Waiting)
            return;
        _phase = Phase.Idle;
        foreach (var member in _members)
        {
            StepKeeping.Return(member, _sequence);
        }
        BeginPass(now);
        foreach (var member in _members)
            TellStep(member);
    }

    public void Stop(long now)
    {
        foreach (var member in _members)
            Finish(member, FinishReason.Stopped);
        _phase = Phase.Stopped;
        _ = now;
    }

    /// <summary>The next chunk to read ahead; false: none for now. Each one comes back in <see cref="BeginBlock"/> or <see cref="Absent"/>.</summary>
    public bool TryTakeChunk(out int chunk)
    {
        chunk = -1;
        if (_phase != Phase.Streaming || _endOfEpoch || !_plan.TryNext(out chunk))
            return false;
        _ahead++;
        return true;
    }

    /// <summary>The frame of a chunk that was taken cannot be had.</summary>
    public void Absent(int chunk)
    {
        _ahead--;
        _plan.Absent.Add(chunk);
    }

    /// <summary>Gives the block that <see cref="WantsBlock"/>.</summary>
    /// <param name="chunks">Chunks that were taken and are in it.</param>
    public void BeginBlock(uint number, int length, int chunks)
    {
        if (_phase != Phase.Streaming || _block is not null || number != _blocks)
            throw new InvalidOperationException($"block {number} comes when {_blocks} is next");
        var shape = new BlockShape(length, _options.FragmentBytes);
        _ahead -= chunks;
        _blocks++;
        // Everybody may have left while it was read, or the epoch is over.
        if (_members.Count > 0 && !IsUsedUp && !_brokenOff)
            _block = (number, shape, 0);
        _repair.Keep(number, shape);
    }

    /// <summary>Memory is short: the oldest block is no longer repaired.</summary>
    public void ForgetOldest() => _repair.ForgetOldest(_block?.Number ?? _blocks);

    /// <summary>Packets to send now.</summary>
    /// <param name="wake">When to call again if none are, and nothing happened before.</param>
    public int Next(long now, Span<PlannedPacket> packets, out long wake)
    {
        Tick(now);
        wake = now + 100_000;
        var mustAnnounce = MustAnnounce(now);
        _blocked = false;
        if (_phase is not (Phase.Streaming or Phase.Closing))
        {
            if (_phase == Phase.Idle && _members.Count > 0 && mustAnnounce)
                return Announce(now, packets);
            wake = Math.Min(wake, _announcedAt + AnnounceEvery);
            return 0;
        }
        if (mustAnnounce)
        {
            wake = now;
            return Announce(now, packets);
        }
        wake = Math.Min(wake, _announcedAt + AnnounceEvery);
        if (_held || (_phase == Phase.Closing && !_repair.HasRows))
        {
            wake = Math.Min(wake, now + 5_000);
            return 0;
        }
        var room = Math.Min(_steps.Room(_sequence), Math.Min(packets.Length, (long)(_options.SequenceEnd - 1 - _sequence)));
        if (room <= 0)
        {
            _blocked = _repair.HasRows || _block is not null;
            wake = Math.Min(wake, now + 2_000);
            return 0;
        }
        // Whole batches: a few packets at a time would cost as many calls.
        var batch = (int)Math.Min(room, _options.Batch);
        var allowed = _pace.Allowance(now, _options.Batch);
        if (allowed < batch)
        {
            if (_repair.HasRows || _block is not null)
                _pace.WasBound();
            wake = Math.Min(wake, _pace.WhenAllowed(now, batch));
            return 0;
        }
        var count = Fill(packets[..(int)Math.Min(room, allowed)]);
        _pace.Spend(count);
        if (count > 0)
            wake = now;
        return count;
    }

    /// <summary>The content of the announcement that <see cref="Next"/> planned last.</summary>
    public Announcement Announced { get; private set; } = new(0, 0, 0, false, [], []);

    private int Fill(Span<PlannedPacket> packets)
    {
        var count = 0;
        // Repair first: what waits for it holds memory at the members.
        while (count < packets.Length && _repair.TryNext(_sequence + 1, out var block, out var group, out var row))
        {
            packets[count++] = new PlannedPacket(PacketKind.Parity, ++_sequence, block, group, row);
            ParityPackets++;
        }
        while (count < packets.Length && _block is { } sending)
        {
            var (number, shape, next) = sending;
            for (; count < packets.Length && next < shape.Fragments; next++)
                packets[count++] = new PlannedPacket(PacketKind.Fragment, ++_sequence, number, shape.GroupOf(next), shape.IndexOf(next));
            DataPackets += next - sending.Next;
            _block = next < shape.Fragments ? (number, shape, next) : null;
        }
        return count;
    }

    /// <summary>The epoch has no sequence left.</summary>
    private bool IsUsedUp => _sequence + 1 >= _options.SequenceEnd;

    private bool MustAnnounce(long now)
    {
        if (IsUsedUp)
            return false;
        var since = now - _announcedAt;
        return since >= AnnounceEvery
            || (_repair.HasNews && since >= 2_000)
            || ((_steps.Changed || _phase == Phase.Closing || _blocked) && since >= AnnounceSoon);
    }

    private int Announce(long now, Span<PlannedPacket> packets)
    {
        (_announcedAt, _steps.Changed) = (now, false);
        Announced = new Announcement(Pass, Math.Min(_members.Count, ushort.MaxValue), (byte)(256 * RepairShare), !_repair.HasRows, [.. _steps.Pacers.Select(pacer => pacer.Number)],
            _repair.TakeNews(Announcement.MostEntries(_options.FragmentBytes)));
        Announcements++;
        packets[0] = new PlannedPacket(PacketKind.Announcement, ++_sequence, _blocks == 0 ? 0 : _blocks - 1, 0, 0);
        return 1;
    }

    /// <summary>Rows of a group per fragment at most: more while the majority needs more, so that one bad member costs the others little.</summary>
    private double RepairShare => Math.Clamp((1 / 16.0) + (3 * MedianLoss()), 1 / 16.0, 1 / 3.0);

    private void BeginPass(long now)
    {
        _block = null;
        var open = _members.Where(member => !member.Finished).ToList();
        if (open.Count == 0)
        {
            _phase = Phase.Idle;
            return;
        }
        if (_endOfEpoch)
            BeginEpoch(now);
        if (!open.Exists(member => member.InStep))
            foreach (var member in open)
                Restep(member, now);
        // The shortest first: who lacks little is done before the stream turns to who lacks much.
        var inStep = open.Where(member => member.InStep).ToList();
        var least = inStep.Min(member => member.Lacking.Count);
        var bound = (2 * least) + 16;
        foreach (var member in open)
            member.BeginPass(bound);
        Pass++;
        _plan.Begin(open.Where(member => member.Included).Select(member => member.Lacking));
        (_phase, _held, _begunAt) = (Phase.Streaming, true, now);
        _steps.Choose(_members, _sequence, now, force: true);
    }

    private void BeginEpoch(long now)
    {
        (_endOfEpoch, _brokenOff) = (false, false);
        Epoch++;
        (_sequence, _blocks, _block, _announcedAt) = (0, 0, null, long.MinValue / 2);
        _repair.Clear();
        foreach (var member in _members)
        {
            member.BeginEpoch(now);
            _outbox.Add(new Outgoing(member.Number, null));
            TellStep(member);
        }
    }
}
