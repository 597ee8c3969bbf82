namespace ImageForge.Multicast.Sending;

/// <summary>Who lacks what, and the sender's way once through it.</summary>
internal sealed class PassPlan(int chunks)
{
    private readonly ushort[] _lackedBy = new ushort[chunks];
    private ChunkSet _pass = new(chunks);
    private int _cursor;
    private int _lacked;

    /// <summary>Chunks that no member lacks.</summary>
    public int Done => _lackedBy.Length - _lacked;

    /// <summary>Copies that are lacking in all.</summary>
    public long Copies { get; private set; }

    /// <summary>Chunks whose frame cannot be had: nobody gets them from here.</summary>
    public ChunkSet Absent { get; } = new(chunks);

    public void AddLacking(ChunkSet lacking)
    {
        foreach (var (first, length) in lacking.Runs())
            for (var chunk = first; chunk < first + length; chunk++)
                if (_lackedBy[chunk]++ == 0)
                    _lacked++;
        Copies += lacking.Count;
    }

    public void RemoveLacking(ChunkSet lacking)
    {
        foreach (var (first, length) in lacking.Runs())
            for (var chunk = first; chunk < first + length; chunk++)
                if (--_lackedBy[chunk] == 0)
                    _lacked--;
        Copies -= lacking.Count;
    }

    /// <summary>Begins a pass over what these members lack.</summary>
    public void Begin(IEnumerable<ChunkSet> lacking)
    {
        _pass = new ChunkSet(_lackedBy.Length);
        foreach (var set in lacking)
            _pass.UnionWith(set);
        _pass.ExceptWith(Absent);
        _cursor = 0;
    }

    /// <summary>
    /// A late member's share of what is still to come. Not when that would make the others wait for it: the next pass is near then.
    /// </summary>
    public void Include(ChunkSet lacking)
    {
        int more = 0, left = 0;
        for (var chunk = _pass.Next(_cursor); chunk >= 0; chunk = _pass.Next(chunk + 1))
            left++;
        for (var chunk = lacking.Next(_cursor); chunk >= 0; chunk = lacking.Next(chunk + 1))
            more += _pass.Contains(chunk) ? 0 : 1;
        if (more > left)
            return;
        for (var chunk = lacking.Next(_cursor); chunk >= 0; chunk = lacking.Next(chunk + 1))
            if (!Absent.Contains(chunk))
                _pass.Add(chunk);
    }

    /// <summary>The next chunk of the pass that somebody still lacks.</summary>
    public bool TryNext(out int chunk)
    {
        for (chunk = _pass.Next(_cursor); chunk >= 0; chunk = _pass.Next(_cursor))
        {
            _cursor = chunk + 1;
            if (_lackedBy[chunk] > 0)
                return true;
        }
        _cursor = _lackedBy.Length;
        return false;
    }

    /// <summary>Whether <see cref="TryNext"/> would find one.</summary>
    public bool HasNext()
    {
        for (var chunk = _pass.Next(_cursor); chunk >= 0; chunk = _pass.Next(chunk + 1))
            if (_lackedBy[chunk] > 0)
                return true;
        return false;
    }

    /// <summary>Whether the stream could still give the member something.</summary>
    public bool CanGive(ChunkSet lacking)
    {
        for (var chunk = lacking.Next(0); chunk >= 0; chunk = lacking.Next(chunk + 1))
            if (!Absent.Contains(chunk))
                return true;
        return false;
    }
}
