using ImageForge.Multicast.Blocks;
using ImageForge.Multicast.Messages;

namespace ImageForge.Multicast.Sending;

/// <summary>What became of a request for rows.</summary>
internal enum NackOutcome
{
    Scheduled,

    /// <summary>What it asks for is under way or was sent.</summary>
    Known,

    /// <summary>The block is no longer kept, or more of it is missing than repair is worth: it comes in the next pass.</summary>
    NextPass,

    /// <summary>It cannot have come about by listening.</summary>
    Nonsense,
}

/// <summary>
/// The blocks that can still be repaired and the rows that are scheduled for them. Of what members ask the most is taken per group, not the
/// sum: one row repairs different losses. No row is sent twice in an epoch.
/// </summary>
/// <param name="capacity">Bytes of blocks that are kept.</param>
internal sealed class RepairBook(long capacity)
{
    private readonly Dictionary<uint, Entry> _blocks = [];
    private readonly Queue<Entry> _due = new();
    private readonly List<Entry> _unannounced = [];
    private long _bytes;

    /// <summary>Blocks below are forgotten.</summary>
    public uint Oldest { get; private set; }

    public bool HasRows => _due.Count > 0;

    public bool HasNews => _unannounced.Count > 0;

    /// <summary>Keeps a block, and forgets the oldest while more is kept than agreed.</summary>
    public void Keep(uint block, BlockShape shape)
    {
        _blocks[block] = new Entry(block, shape);
        for (_bytes += shape.Length; _bytes > capacity && Oldest < block; Oldest++)
            Forget(Oldest);
    }

    /// <summary>Forgets the oldest block that is kept, if it is below <paramref name="end"/>.</summary>
    public void ForgetOldest(uint end)
    {
        if (Oldest < end)
            Forget(Oldest++);
    }

    public void Clear()
    {
        _blocks.Clear();
        _due.Clear();
        _unannounced.Clear();
        (_bytes, Oldest) = (0, 0);
    }

    /// <param name="sent">Last sequence that was given out.</param>
    /// <param name="newest">Block that is being sent.</param>
    /// <param name="share">Rows per fragment of a group that are given at most.</param>
    /// <param name="margin">Rows more than asked, for those members that did not speak yet.</param>
    /// <param name="loss">Share of the rows that will be lost, too.</param>
    public NackOutcome Ask(NackMessage nack, ulong sent, uint? newest, double share, int margin, double loss)
    {
        if (nack.AsOf > sent || newest is not { } last || nack.Block > last)
            return NackOutcome.Nonsense;
        if (!_blocks.TryGetValue(nack.Block, out var entry))
            return NackOutcome.NextPass;
        if (nack.Rows.Length != entry.Shape.Groups)
            return NackOutcome.Nonsense;
        for (var group = 0; group < nack.Rows.Length; group++)
        {
            if (nack.Rows[group] > entry.Shape.GroupSize(group))
                return NackOutcome.Nonsense;
            if (nack.Rows[group] > MostRows(entry.Shape.GroupSize(group), share) || entry.SentBefore(group, nack.AsOf) + nack.Rows[group] > BlockShape.MaxRows)
                return NackOutcome.NextPass;
        }
        var more = false;
        for (var group = 0; group < nack.Rows.Length; group++)
        {
            if (nack.Rows[group] == 0)
                continue;
            var wanted = entry.SentBefore(group, nack.AsOf) + nack.Rows[group];
            if (wanted <= entry.Scheduled[group])
                continue;
            entry.Scheduled[group] = (byte)Math.Min(BlockShape.MaxRows, wanted + margin + (int)(nack.Rows[group] * loss));
            more = true;
        }
        if (!more)
            return NackOutcome.Known;
        if (!entry.IsDue)
            _due.Enqueue(entry);
        if (!entry.IsNews)
            _unannounced.Add(entry);
        (entry.IsDue, entry.IsNews) = (true, true);
        return NackOutcome.Scheduled;
    }

    /// <summary>Most rows of a group that are given to one request; the receiver reckons the same before it asks.</summary>
    public static int MostRows(int groupSize, double share) => Math.Min(BlockShape.MaxRows, 2 + (int)(groupSize * share));

    /// <summary>The next row to send; it is given the sequence.</summary>
    public bool TryNext(ulong sequence, out uint block, out int group, out int row)
    {
        while (_due.TryPeek(out var entry))
        {
            // Groups in turn, so that neighbours on the wire lie in different ones.
            if (!entry.Forgotten && entry.TryNext(sequence, out group, out row))
            {
                block = entry.Block;
                return true;
            }
            entry.IsDue = false;
            _due.Dequeue();
        }
        (block, group, row) = (0, 0, 0);
        return false;
    }

    /// <summary>What was scheduled since the last call, as many groups as fit.</summary>
    public List<(uint Block, int Group, int Rows)> TakeNews(int most)
    {
        var news = new List<(uint Block, int Group, int Rows)>();
        while (_unannounced.Count > 0 && news.Count + _unannounced[0].Scheduled.Length <= Math.Max(most, _unannounced[0].Scheduled.Length))
        {
            var entry = _unannounced[0];
            _unannounced.RemoveAt(0);
            entry.IsNews = false;
            for (var group = 0; group < entry.Scheduled.Length && news.Count < most && !entry.Forgotten; group++)
                if (entry.Scheduled[group] > 0)
                    news.Add((entry.Block, group, entry.Scheduled[group]));
        }
        return news;
    }

    private void Forget(uint block)
    {
        if (!_blocks.Remove(block, out var entry))
            return;
        _bytes -= entry.Shape.Length;
        entry.Forgotten = true;
    }

    private sealed class Entry(uint block, BlockShape shape)
    {
        private readonly List<ulong>?[] _sent = new List<ulong>?[shape.Groups];
        private int _turn;

        public uint Block => block;
        public BlockShape Shape => shape;
        public byte[] Scheduled { get; } = new byte[shape.Groups];
        public bool IsDue { get; set; }
        public bool IsNews { get; set; }
        public bool Forgotten { get; set; }

        /// <summary>Rows that whoever had seen the sequence has or has lost.</summary>
        public int SentBefore(int group, ulong sequence)
        {
            var rows = _sent[group];
            var count = rows?.Count ?? 0;
            while (count > 0 && rows![count - 1] > sequence)
                count--;
            return count;
        }

        public bool TryNext(ulong sequence, out int group, out int row)
        {
            for (var tried = 0; tried < shape.Groups; tried++)
            {
                group = _turn;
                _turn = (_turn + 1) % shape.Groups;
                var sent = _sent[group] ??= [];
                if (sent.Count >= Scheduled[group])
                    continue;
                row = sent.Count;
                sent.Add(sequence);
                return true;
            }
            (group, row) = (0, 0);
            return false;
        }
    }
}
