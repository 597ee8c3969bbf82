using ImageForge.Multicast.Messages;

namespace ImageForge.Multicast.Sending;

/// <summary>What the sender knows of a member. Times are microseconds of the core's clock.</summary>
internal sealed class SenderMember(int number, string name, ChunkSet lacking, int window, long now, ulong sequence)
{
    public int Number => number;
    public string Name => name;

    /// <summary>As it said last; what it got since then is not known before the end of the pass.</summary>
    public ChunkSet Lacking { get; set; } = lacking;

    /// <summary>Pass whose end it has answered, so that <see cref="Lacking"/> is true.</summary>
    public uint AnsweredPass { get; set; }

    public long JoinedAt { get; } = now;

    /// <summary>Packets that may be under way to it.</summary>
    public int Window => window;

    /// <summary>Highest sequence it has, or is given credit for until its first report.</summary>
    public ulong Credit { get; set; } = sequence;

    public ReportMessage? Last { get; private set; }
    public long LastHeard { get; set; } = now;
    public bool InStep { get; set; } = true;
    public bool Pacer { get; set; }

    /// <summary>It has the key of the epoch and listens: it reported.</summary>
    public bool Ready { get; private set; }

    /// <summary>Told to fetch the rest over HTTP, or that it has everything: it only has to leave.</summary>
    public bool Finished { get; set; }

    /// <summary>For how long it alone held the window closed lately.</summary>
    public double Held { get; set; }

    /// <summary>Out of step at least until then.</summary>
    public long HeldUntil { get; set; }
    public long HoldDown { get; set; }
    public long TurnedAwayAt { get; set; }

    /// <summary>Passes for it that hardly brought it forward.</summary>
    public int VainPasses { get; set; }

    /// <summary>The pass goes over what it lacked at its beginning.</summary>
    public bool Included { get; private set; }

    /// <summary>Passes since the last one that was for it, in which it was in step.</summary>
    private int _excluded;

    /// <summary>It reported sequences of this epoch that were not sent yet: somebody else made packets with its key.</summary>
    public bool FromFuture { get; set; }

    /// <summary>Chunks it lacked when the pass began.</summary>
    public int LackedBefore { get; set; } = lacking.Count;

    /// <summary>Packets that arrived, were lost on the way and were dropped in its socket since the pace looked last.</summary>
    public (double Arrived, double Lost, double Dropped) Recent { get; set; }

    /// <summary>Share lost of late, drops included; smoothed.</summary>
    public double Loss { get; private set; }

    /// <summary>Verified packets per second, smoothed.</summary>
    public double Rate { get; private set; }

    public int ChunksLacking => Last is { } last ? (int)Math.Min(last.Lacking, (uint)Lacking.Chunks) : Lacking.Count;

    private long _ratedAt = now;
    private ulong _ratedVerified;
    private ulong _ratedMissed;
    private long _progressAt = now;
    private int _progressFrom = lacking.Count;
    private double _chunksPerMicrosecond;

    /// <param name="bound">The pass is for members that lack no more; twice left out, a member is in it whatever it lacks.</param>
    public void BeginPass(int bound)
    {
        LackedBefore = Lacking.Count;
        Included = InStep && (Lacking.Count <= bound || _excluded >= 2);
        _excluded = Included ? 0 : InStep ? _excluded + 1 : _excluded;
    }

    /// <summary>It was here before: coming again is no way back into step.</summary>
    public void Recall(in StepMemory memory, long now)
    {
        (Held, HoldDown, HeldUntil) = (Math.Max(0, memory.Held - (StepKeeping.Forgiveness * (now - memory.LeftAt))), memory.HoldDown, memory.HeldUntil);
        InStep = now >= HeldUntil;
    }

    public void Report(ReportMessage report, long now)
    {
        var before = Last;
        Last = report;
        Ready = true;
        LastHeard = now;
        Credit = Math.Max(Credit, report.Highest);
        var lost = Since(report.Missed, before?.Missed);
        var dropped = Math.Min(lost, Since(report.Drops, before?.Drops));
        var (recentArrived, recentLost, recentDropped) = Recent;
        Recent = (recentArrived + Since(report.Verified, before?.Verified), recentLost + lost - dropped, recentDropped + dropped);
        if (report.TurnedAway != (before?.TurnedAway ?? 0))
            TurnedAwayAt = now;
        if (now - _ratedAt >= 200_000)
            Rerate(report, now);
        if (now - _progressAt >= 2_000_000)
        {
            _chunksPerMicrosecond = Math.Max(0, _progressFrom - ChunksLacking) / (double)(now - _progressAt);
            (_progressAt, _progressFrom) = (now, ChunksLacking);
        }
    }

    /// <summary>Counts of packets begin again with the new epoch.</summary>
    public void BeginEpoch(long now)
    {
        if (Last is { } last)
            Last = last with { Highest = 0, Verified = 0, Missed = 0 };
        (Ready, FromFuture) = (false, false);
        (Credit, Recent, _ratedAt, _ratedVerified, _ratedMissed) = (0, default, now, 0, 0);
    }

    public MemberFigures Figures(int packetBytes) => new(
        number,
        name,
        Rate * packetBytes * 8,
        Loss,
        (long)Math.Min(Last?.Drops ?? 0, long.MaxValue),
        Last?.WaitingBytes ?? 0,
        ChunksLacking,
        _chunksPerMicrosecond > 0 ? TimeSpan.FromMicroseconds(Math.Min(ChunksLacking / _chunksPerMicrosecond, 1e15)) : null,
        InStep,
        Pacer,
        Last?.Limit ?? MemberLimit.None);

    private void Rerate(ReportMessage report, long now)
    {
        var arrived = (double)(report.Verified - Math.Min(report.Verified, _ratedVerified));
        var missed = (double)(report.Missed - Math.Min(report.Missed, _ratedMissed));
        var weight = Math.Min(1, (now - _ratedAt) / 1e6);
        Rate += weight * ((arrived * 1e6 / (now - _ratedAt)) - Rate);
        if (arrived + missed > 0)
            Loss += Math.Min(1, (arrived + missed) / 5_000) * ((missed / (arrived + missed)) - Loss);
        (_ratedAt, _ratedVerified, _ratedMissed) = (now, report.Verified, report.Missed);
    }

    private static double Since(ulong now, ulong? before) => now > (before ?? 0) ? now - (before ?? 0) : 0;
}

/// <summary>What is kept of a member that left, by its name.</summary>
internal readonly record struct StepMemory(double Held, long HoldDown, long HeldUntil, long LeftAt);
