namespace ImageForge.Multicast.Sending;

/// <summary>
/// Who the pace waits for. The window lies over the highest verified sequences of the pacers, at most 16 of the members in step; a minority
/// that holds it closed falls out of step within a fraction of a second and comes back after a hold-down that grows.
/// </summary>
internal sealed class StepKeeping
{
    public const int MostPacers = 16;

    /// <summary>Of the pacers so many are chosen because they are the worst; the others take turns.</summary>
    private const int Worst = 4;

    private const double HeldTooLong = 200_000;

    /// <summary>Of the time in which it does not hold the window closed, so much is taken off.</summary>
    public const double Forgiveness = 0.15;

    private const long FirstHoldDown = 1_000_000;
    private const long LongestHoldDown = 30_000_000;
    private const long Turn = 1_000_000;

    private readonly List<SenderMember> _pacers = [];
    private long _turnedAt = long.MinValue / 2;
    private long _lookedAt;
    private int _turn;

    public IReadOnlyList<SenderMember> Pacers => _pacers;

    /// <summary>The pacers are others than were announced.</summary>
    public bool Changed { get; set; }

    /// <summary>Share of the windows that is used: less while the majority's own sockets overflow.</summary>
    public double WindowScale { get; private set; } = 1;

    /// <summary>Packets that may be sent before the slowest pacer reports.</summary>
    public long Room(ulong sent)
    {
        var room = long.MaxValue;
        foreach (var pacer in _pacers)
            room = Math.Min(room, RoomOf(pacer, sent));
        return room;
    }

    /// <summary>Chooses pacers anew when it is their time, or somebody came or went.</summary>
    public void Choose(IReadOnlyList<SenderMember> members, ulong sent, long now, bool force)
    {
        if (!force && now - _turnedAt < Turn)
            return;
        _turnedAt = now;
        // Who has not reported does not know yet what is sent, or says nothing: nobody waits for it, unless nobody at all was heard yet.
        var silent = !members.Any(member => member.Ready && !member.Finished);
        var inStep = members.Where(member => member.InStep && !member.Finished && (member.Ready || silent)).ToList();
        List<SenderMember> chosen;
        if (inStep.Count <= MostPacers)
        {
            chosen = inStep;
        }
        else
        {
            inStep.Sort((a, b) => Badness(b, sent).CompareTo(Badness(a, sent)));
            chosen = inStep[..Worst];
            var others = inStep[Worst..];
            others.Sort((a, b) => a.Number.CompareTo(b.Number));
            for (var i = 0; i < MostPacers - Worst; i++)
                chosen.Add(others[(_turn + i) % others.Count]);
            _turn = (_turn + MostPacers - Worst) % others.Count;
        }
        Replace(chosen, sent);
    }

    /// <summary>
    /// Judges a member that is no pacer by its report: half a window behind it becomes one; a whole window behind it falls out of step
    /// at once, because those who set the pace are where it should be. True: it fell.
    /// </summary>
    public bool Judge(SenderMember member, IReadOnlyList<SenderMember> members, ulong sent, long now)
    {
        var behind = (long)(sent - Math.Min(sent, member.Credit));
        if (!member.InStep || member.Pacer || member.Finished || behind <= member.Window / 2)
            return false;
        if (behind > member.Window)
        {
            Fall(member, now);
            return true;
        }
        var chosen = _pacers.Where(members.Contains).ToList();
        if (chosen.Count >= MostPacers)
            chosen.Remove(chosen.MaxBy(pacer => pacer.Credit)!);
        chosen.Add(member);
        Replace(chosen, sent);
        return false;
    }

    /// <summary>Judges who held the others up since the last look.</summary>
    /// <param name="blocked">The window, and nothing else, kept the sender from sending in that time.</param>
    /// <returns>Members that fall out of step now.</returns>
    public List<SenderMember> Look(ulong sent, long now, bool blocked)
    {
        var passed = Math.Clamp(now - _lookedAt, 0, 50_000);
        _lookedAt = now;
        var fallen = new List<SenderMember>();
        if (_pacers.Count == 0)
            return fallen;
        Span<long> rooms = stackalloc long[_pacers.Count];
        for (var i = 0; i < rooms.Length; i++)
            rooms[i] = RoomOf(_pacers[i], sent);
        rooms.Sort();
        var most = rooms[_pacers.Count / 2];
        foreach (var pacer in _pacers)
        {
            var alone = blocked && RoomOf(pacer, sent) <= 0 && most >= pacer.Window * WindowScale / 2;
            pacer.Held = alone ? pacer.Held + passed : Math.Max(0, pacer.Held - (Forgiveness * passed));
            if (pacer.Held > HeldTooLong)
                fallen.Add(pacer);
        }
        foreach (var member in fallen)
            Fall(member, now);
        return fallen;
    }

    /// <summary>Whether a member out of step has kept up for its hold-down and may set the pace again.</summary>
    public static bool MayReturn(SenderMember member, ulong sent, long now) =>
        !member.InStep && now >= member.HeldUntil && now - member.TurnedAwayAt > member.HoldDown
        && member.Credit + (ulong)(member.Window / 2) >= sent && member.Last is { Verified: > 0 };

    /// <summary>Lets the pace wait for the member from here on.</summary>
    public static void Return(SenderMember member, ulong sent)
    {
        member.InStep = true;
        member.Held = 0;
        member.Credit = Math.Max(member.Credit, sent);
    }

    /// <summary>Adapts the windows to what the majority's own sockets drop.</summary>
    public void Dropped(double share) => WindowScale = share > 0.005 ? Math.Max(1.0 / 16, WindowScale / 2) : Math.Min(1, WindowScale * 1.05);

    private static void Fall(SenderMember member, long now)
    {
        member.InStep = false;
        member.Held = 0;
        member.HoldDown = member.HoldDown == 0 ? FirstHoldDown : Math.Min(LongestHoldDown, member.HoldDown * 2);
        (member.HeldUntil, member.TurnedAwayAt) = (now + member.HoldDown, now);
    }

    private long RoomOf(SenderMember pacer, ulong sent) => (long)(pacer.Credit + (ulong)(pacer.Window * WindowScale)) - (long)sent;

    private static double Badness(SenderMember member, ulong sent) =>
        ((sent - Math.Min(sent, member.Credit)) / (double)member.Window) + (10 * member.Loss) + ((member.Last?.WaitingBytes ?? 0) / 1e8);

    private void Replace(List<SenderMember> chosen, ulong sent)
    {
        if (chosen.Count == _pacers.Count && chosen.TrueForAll(member => member.Pacer))
            return;
        foreach (var pacer in _pacers)
            pacer.Pacer = false;
        foreach (var member in chosen)
        {
            // What it reported last may be a second old: it starts with credit.
            if (!_pacers.Contains(member))
                member.Credit = Math.Max(member.Credit, sent);
            member.Pacer = true;
        }
        _pacers.Clear();
        _pacers.AddRange(chosen);
        Changed = true;
    }
}
