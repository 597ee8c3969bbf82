using ImageForge.Multicast.Messages;

namespace ImageForge.Multicast.Sending;

internal sealed partial class SenderCore
{
    /// <summary>No look at the clock for so long: this process stood still, and heard nobody meanwhile.</summary>
    private const long StoodStill = 500_000;

    private long _tickedAt;

    /// <summary>Of the time since the end of the pass, what this process stood still.</summary>
    private long _excused;

    /// <summary>What happens because time passes.</summary>
    private void Tick(long now)
    {
        Excuse(now);
        ForgetSilent(now);
        if (_phase == Phase.Waiting)
        {
            if (_members.Count >= Math.Max(1, _options.Start.WaitFor) || (_members.Count > 0 && _options.Start.Until is { } until && now >= until))
                StartNow(now);
            else if (now - _waitingToldAt >= 1_000_000)
                TellWaiting(now);
            return;
        }
        if (_phase is not (Phase.Streaming or Phase.Closing))
            return;
        foreach (var fallen in _steps.Look(_sequence, now, _blocked))
        {
            _steps.Choose(_members, _sequence, now, force: true);
            TellStep(fallen);
        }
        _steps.Choose(_members, _sequence, now, force: false);
        // Those in step are done: the pace is for the others now.
        if (_steps.Pacers.Count == 0)
            foreach (var member in _members.Where(member => !member.Finished && !member.InStep).ToList())
                Restep(member, now);
        AdaptPace(now);
        var held = _held;
        _held = _held && now - _begunAt < ReadyWithin && _members.Exists(member => !member.Ready && !member.Finished);
        if (held && !_held)
        {
            _steps.Changed = true;
            _pace.Restart(now);
            ForgetRecent();
            if (_steps.Pacers.Any(pacer => !pacer.Ready))
                _steps.Choose(_members, _sequence, now, force: true);
        }
        // Room for the repair of the last blocks is left.
        _endOfEpoch |= _sequence >= _options.SequenceEnd - (_options.SequenceEnd / 8);
        // What was read ahead was more than the epoch had left: it comes in the next one.
        if (IsUsedUp || _brokenOff)
            _block = null;
        if (_phase == Phase.Streaming && _block is null && _ahead == 0 && (_endOfEpoch || !_plan.HasNext()))
            ClosePass(now);
        else if (_phase == Phase.Closing && IsAnswered(now))
            NextPass(now);
    }

    private void Excuse(long now)
    {
        var still = now - _tickedAt;
        _tickedAt = now;
        if (still <= StoodStill)
            return;
        _excused += still;
        foreach (var member in _members)
            member.LastHeard = Math.Min(now, member.LastHeard + still);
    }

    private void ForgetSilent(long now)
    {
        for (var i = _members.Count - 1; i >= 0; i--)
        {
            if (now - _members[i].LastHeard <= SilentFor)
                continue;
            _forgotten.Add(_members[i].Number);
            Gone(_members[i].Number, now);
        }
    }

    private void ClosePass(long now)
    {
        _phase = Phase.Closing;
        (_closingSince, _repairAsked, _excused) = (now, now, 0);
        foreach (var member in _members)
            if (!member.Finished)
                Tell(member, new PassEndMessage(Pass, _blocks == 0 ? 0 : _blocks - 1, _sequence));
        _announcedAt = Math.Min(_announcedAt, now - AnnounceSoon);
    }

    private bool IsAnswered(long now)
    {
        var until = now - _excused;
        if (until - _closingSince > RepairWithin || until - Math.Max(_closingSince, _repairAsked) > AnswersWithin)
            return true;
        return _members.TrueForAll(member => member.Finished || member.AnsweredPass == Pass || member.Lacking.Count == 0 || Joined(member));
    }

    /// <summary>It came after the end of the pass was told: what it lacks is known.</summary>
    private bool Joined(SenderMember member) => member.JoinedAt >= _closingSince;

    private void NextPass(long now)
    {
        foreach (var member in _members.Where(member => !member.Finished))
        {
            FinishIfDone(member);
            if (member.AnsweredPass == Pass || Joined(member) || !member.InStep || member.Finished || _brokenOff)
                continue;
            member.InStep = false;
            TellStep(member);
        }
        if (IsSmall())
            foreach (var member in _members)
                Finish(member, FinishReason.OverHttp);
        BeginPass(now);
    }

    private void FinishIfDone(SenderMember member)
    {
        if (!_plan.CanGive(member.Lacking))
        {
            Finish(member, member.Lacking.Count == 0 ? FinishReason.NothingLeft : FinishReason.OverHttp);
            return;
        }
        // A stream that hardly helps goes on for ever: three such passes are enough. Of those that were for it: others leave it little, and
        // out of step it gets what it can. Without an answer nothing was gained.
        var gained = member.LackedBefore - member.Lacking.Count;
        if (gained > 0 && gained * 20 >= member.LackedBefore)
            member.VainPasses = 0;
        else if (member.Included && !_brokenOff && (member.InStep || member.AnsweredPass != Pass))
            member.VainPasses++;
        if (member.VainPasses >= 3)
            Finish(member, FinishReason.OverHttp);
    }

    /// <summary>Few members lack few chunks: a connection each is as good as a stream.</summary>
    private bool IsSmall()
    {
        var few = Math.Max(16, _chunks / 100);
        return _plan.Copies > 0 && _plan.Copies <= few;
    }

    private void AdaptPace(long now)
    {
        // Only a stream tells how fast it may be.
        if (_phase != Phase.Streaming || _held)
            return;
        var arrived = Median(member => member.Recent.Arrived);
        var lost = Median(member => member.Recent.Lost);
        if (!_pace.IsDue(now, arrived + lost))
            return;
        _pace.Adapt(now, MedianRecent(member => member.Lost), arrived);
        _steps.Dropped(MedianRecent(member => member.Dropped));
        ForgetRecent();
    }

    private void ForgetRecent()
    {
        foreach (var member in _members)
            member.Recent = default;
    }

    private double MedianRecent(Func<(double Arrived, double Lost, double Dropped), double> what) => Median(member =>
    {
        var all = member.Recent.Arrived + member.Recent.Lost + member.Recent.Dropped;
        return all == 0 ? 0 : what(member.Recent) / all;
    });

    private double MedianLoss() => Median(member => member.Loss);

    /// <summary>Of the pacers; of two the better one, so that only a majority slows the others.</summary>
    private double Median(Func<SenderMember, double> what)
    {
        var pacers = _steps.Pacers;
        if (pacers.Count == 0)
            return 0;
        Span<double> values = stackalloc double[pacers.Count];
        for (var i = 0; i < values.Length; i++)
            values[i] = what(pacers[i]);
        values.Sort();
        return values[(values.Length - 1) / 2];
    }
}
