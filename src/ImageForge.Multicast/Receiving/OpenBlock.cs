using ImageForge.Multicast.Blocks;

namespace ImageForge.Multicast.Receiving;

/// <summary>What is known of a block that is not whole: counts, not bytes.</summary>
internal sealed class OpenBlock
{
    private readonly short[] _missing;
    private readonly byte[] _scheduled;
    private readonly byte[] _past;
    private int _openGroups;

    public OpenBlock(uint number, BlockShape shape)
    {
        (Number, Shape, _openGroups) = (number, shape, shape.Groups);
        (_missing, _scheduled, _past) = (new short[shape.Groups], new byte[shape.Groups], new byte[shape.Groups]);
        for (var group = 0; group < shape.Groups; group++)
            _missing[group] = (short)shape.GroupSize(group);
    }

    public uint Number { get; }

    public BlockShape Shape { get; }

    public bool IsWhole => _openGroups == 0;

    /// <summary>When to ask for rows; <see cref="long.MaxValue"/> while its fragments still come.</summary>
    public long AskAt { get; set; } = long.MaxValue;

    /// <summary>All of its fragments that come are here.</summary>
    public bool IsOver => AskAt != long.MaxValue;

    /// <summary>Requests in all, and those since the last news.</summary>
    public int Asked { get; set; }

    public int InVain { get; set; }

    /// <summary>When a row came, or more rows were announced.</summary>
    public long NewsAt { get; private set; } = long.MinValue / 2;

    public void News(long now) => (NewsAt, InVain) = (now, 0);

    /// <summary>Packet that announced rows which are still awaited; <see cref="ulong.MaxValue"/>: none are.</summary>
    public ulong AwaitedSince { get; set; } = ulong.MaxValue;

    public int Missing(int group) => Math.Max((short)0, _missing[group]);

    /// <summary>A packet that the group had not. True: it made the block whole.</summary>
    public bool Took(int group) => _missing[group]-- == 1 && --_openGroups == 0;

    /// <summary>Row numbers up to this one were sent: those that did not come are lost.</summary>
    public void SawRow(int group, int row)
    {
        _past[group] = (byte)Math.Max(_past[group], row + 1);
        _scheduled[group] = Math.Max(_scheduled[group], _past[group]);
    }

    /// <summary>All rows that were announced were sent: those that did not come are lost.</summary>
    public void SawAll()
    {
        _scheduled.CopyTo(_past, 0);
        AwaitedSince = ulong.MaxValue;
    }

    /// <summary>True: these are more than were known.</summary>
    public bool Schedule(int group, int rows)
    {
        if ((uint)group >= (uint)_scheduled.Length || rows <= _scheduled[group])
            return false;
        _scheduled[group] = (byte)rows;
        return true;
    }

    /// <summary>What is lacking is on its way, if nothing of it is lost.</summary>
    public bool IsCovered
    {
        get
        {
            for (var group = 0; group < _missing.Length; group++)
                if (_missing[group] > _scheduled[group] - _past[group])
                    return false;
            return true;
        }
    }

    public byte[] Needs()
    {
        var needs = new byte[_missing.Length];
        for (var group = 0; group < needs.Length; group++)
            needs[group] = (byte)Math.Min(Missing(group), byte.MaxValue);
        return needs;
    }
}
