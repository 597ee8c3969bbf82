using ImageForge.Multicast.Blocks;
using ImageForge.Multicast.Packets;

namespace ImageForge.Multicast.Receiving;

/// <summary>
/// Decides what a member says and when, over a clock of microseconds that is given in: no bytes, no sockets, no time of its own.
/// This half counts packets and blocks; the other one speaks. Used by one thread at a time.
/// </summary>
internal sealed partial class ReceiverCore
{
    /// <summary>Packets that overtook others are awaited so long before anything counts as lost.</summary>
    private const long Reordering = 3_000;

    /// <summary>Closed blocks that are remembered.</summary>
    private const uint Memory = 4096;

    private readonly ReceiverCoreOptions _options;
    private readonly Random _random;
    private readonly SequenceWindow _sequences = new();
    private readonly SortedList<uint, OpenBlock> _open = [];
    private readonly HashSet<uint> _closed = [];
    private readonly Queue<uint> _closedOrder = new();
    private OpenBlock? _latest;
    private uint _newest;
    private long _openBytes;
    private int _fragmentBytes;
    private long _nextAsk = long.MaxValue;
    private ulong _awaitedSince = ulong.MaxValue;

    /// <param name="lacking">Chunks to get; shrinks as they come.</param>
    public ReceiverCore(ReceiverCoreOptions options, ChunkSet lacking, Random random)
    {
        (_options, _random) = (options, random);
        (Lacking, OverHttp) = (lacking, new ChunkSet(lacking.Chunks));
    }

    public ChunkSet Lacking { get; }

    /// <summary>Chunks that the stream gave wrongly: they come over HTTP.</summary>
    public ChunkSet OverHttp { get; }

    public SequenceWindow Sequences => _sequences;

    public uint TurnedAway { get; private set; }

    /// <summary>Blocks given up: their memory is free. Emptied by the caller.</summary>
    public List<uint> Dropped { get; } = [];

    public int OpenBlocks => _open.Count;

    /// <summary>A packet verified. False: it is a replay; nothing more is to be done with it.</summary>
    /// <param name="newest">Block that its header names.</param>
    public bool Verified(PacketKind kind, ulong sequence, uint newest, long now)
    {
        if (!_sequences.Add(sequence))
            return false;
        HeardAt = _heardAt = now;
        _sinceReport++;
        if (newest > _newest)
        {
            _newest = newest;
            EndBlocks(newest, now);
        }
        // Repair goes before all else: a fragment says that nothing of it waits.
        if (kind == PacketKind.Fragment && sequence > _awaitedSince)
            EndRows(sequence, now);
        return true;
    }

    /// <summary>Whether a verified packet of the block is wanted; opens the block if it is new.</summary>
    public Admission Admit(uint block, int length, bool hasRoom)
    {
        if (_latest is { } latest && latest.Number == block || _open.TryGetValue(block, out latest))
        {
            _latest = latest;
            return latest.Shape.Length == length ? Admission.Open : Admission.Ignore;
        }
        if (_closed.Contains(block) || block + Memory < _newest)
            return Admission.Ignore;
        // In step the member rather lets its socket fill, and the pace waits; out of step nobody waits for it.
        if (!InStep && !hasRoom)
        {
            TurnedAway++;
            Close(block);
            return Admission.Ignore;
        }
        while (_open.Count > 0 && _openBytes + length > _options.OpenBytes)
            Drop(_open.Values[0]);
        var open = new OpenBlock(block, new BlockShape(length, _fragmentBytes));
        _open.Add(block, open);
        _openBytes += length;
        _latest = open;
        return Admission.Open;
    }

    /// <summary>There was no memory for the block that was opened.</summary>
    public void NoMemory(uint block)
    {
        TurnedAway++;
        Unwanted(block);
    }

    /// <summary>Gives the block up that waits longest, this one apart. False: there is no other.</summary>
    public bool DropOldestBut(uint block)
    {
        foreach (var open in _open.Values)
        {
            if (open.Number == block)
                continue;
            Drop(open);
            return true;
        }
        return false;
    }

    /// <summary>The open block has a fragment that it had not. True: it is whole now, and closed.</summary>
    public bool TookFragment(uint block, int group) => Took(block, group);

    /// <summary>The open block was sent a parity row.</summary>
    /// <param name="isNew">It brought the block forward.</param>
    public bool TookRow(uint block, int group, int row, bool isNew, long now)
    {
        if (!TryGet(block, out var open))
            return false;
        open.SawRow(group, row);
        open.News(now);
        if (isNew && Took(block, group))
            return true;
        if (open.IsOver && open.Missing(group) > 0 && !open.IsCovered)
            AskAt(open, Math.Min(open.AskAt, now + Delay()));
        return false;
    }

    /// <summary>Nothing in the block is lacking here.</summary>
    public void Unwanted(uint block)
    {
        if (TryGet(block, out var open))
            Drop(open);
    }

    /// <summary>A chunk was handed to the sink.</summary>
    public void Got(int chunk) => Lacking.Remove(chunk);

    /// <summary>A chunk turned out wrong although its packets verified.</summary>
    public void Wrong(int chunk)
    {
        Lacking.Remove(chunk);
        OverHttp.Add(chunk);
    }

    private bool TryGet(uint block, out OpenBlock open)
    {
        if (_latest is { } latest && latest.Number == block)
        {
            open = latest;
            return true;
        }
        return _open.TryGetValue(block, out open!);
    }

    private bool Took(uint block, int group)
    {
        if (!TryGet(block, out var open) || !open.Took(group))
            return false;
        Remove(open);
        return true;
    }

    /// <summary>Blocks before this one are over: nothing of them comes but repair.</summary>
    private void EndBlocks(uint newest, long now)
    {
        foreach (var (number, open) in _open)
        {
            if (number >= newest)
                break;
            if (!open.IsOver)
                AskAt(open, now + Delay());
        }
    }

    /// <summary>Rows that were announced before this packet were sent before it.</summary>
    private void EndRows(ulong sequence, long now)
    {
        _awaitedSince = ulong.MaxValue;
        foreach (var open in _open.Values)
        {
            if (open.AwaitedSince < sequence)
            {
                open.SawAll();
                if (open.IsOver)
                    AskAt(open, Math.Min(open.AskAt, now + Delay()));
            }
            _awaitedSince = Math.Min(_awaitedSince, open.AwaitedSince);
        }
    }

    private void AskAt(OpenBlock open, long at)
    {
        open.AskAt = at;
        _nextAsk = Math.Min(_nextAsk, at);
    }

    private void Drop(OpenBlock open)
    {
        Remove(open);
        Dropped.Add(open.Number);
    }

    private void Remove(OpenBlock open)
    {
        _open.Remove(open.Number);
        _openBytes -= open.Shape.Length;
        if (_latest == open)
            _latest = null;
        Close(open.Number);
    }

    private void Close(uint block)
    {
        if (!_closed.Add(block))
            return;
        _closedOrder.Enqueue(block);
        if (_closedOrder.Count > Memory)
            _closed.Remove(_closedOrder.Dequeue());
    }
}
