using ImageForge.Multicast.Messages;

namespace ImageForge.Multicast.Sending;

internal sealed partial class SenderCore
{
    /// <summary>Without a word for so long a member is forgotten.</summary>
    private const long SilentFor = 3_000_000;

    /// <summary>Members that left and whose place in step is remembered.</summary>
    private const int MostRemembered = 4096;

    private const int SmallestWindow = 64;
    private const int LargestWindow = 4096;

    private readonly List<SenderMember> _members = [];
    private readonly Dictionary<int, SenderMember> _byNumber = [];
    private readonly Dictionary<string, StepMemory> _memories = [];
    private readonly List<Outgoing> _outbox = [];
    private readonly List<int> _forgotten = [];
    private int _lastNumber;

    public IReadOnlyList<SenderMember> Members => _members;

    public long Joins { get; private set; }

    /// <summary>Messages that could not have come about by listening.</summary>
    public long Refused { get; private set; }

    /// <summary>Messages to hand over, in this order; emptied by the caller.</summary>
    public List<Outgoing> Outbox => _outbox;

    /// <summary>Members that said nothing for too long and are no longer here; emptied by the caller.</summary>
    public List<int> Forgotten => _forgotten;

    /// <summary>A member comes; null: there are as many as there are numbers.</summary>
    public int? Join(string name, JoinMessage join, long now)
    {
        if (_members.Count >= ushort.MaxValue)
            return null;
        do
            _lastNumber = (_lastNumber + 1) & 0xffff;
        while (_byNumber.ContainsKey(_lastNumber));
        var window = (int)Math.Clamp(join.SocketPackets, SmallestWindow, LargestWindow);
        var member = new SenderMember(_lastNumber, name, join.Lacking, window, now, _sequence);
        if (_memories.Remove(name, out var memory))
            member.Recall(memory, now);
        Joins++;
        _members.Add(member);
        _byNumber.Add(member.Number, member);
        _plan.AddLacking(member.Lacking);
        _outbox.Add(new Outgoing(member.Number, null));
        if (_phase == Phase.Stopped)
        {
            Finish(member, FinishReason.Stopped);
            return member.Number;
        }
        if (!_plan.CanGive(member.Lacking))
            Finish(member, member.Lacking.Count == 0 ? FinishReason.NothingLeft : FinishReason.OverHttp);
        if (_phase == Phase.Waiting)
        {
            TellWaiting(now);
            return member.Number;
        }
        if (_phase == Phase.Streaming && member.InStep)
            _plan.Include(member.Lacking);
        else if (_phase == Phase.Idle)
            BeginPass(now);
        _steps.Choose(_members, _sequence, now, force: true);
        TellStep(member);
        return member.Number;
    }

    /// <summary>A member says something. Whatever it says, it can only harm itself.</summary>
    public void Hear(int number, ControlMessage message, long now)
    {
        if (!_byNumber.TryGetValue(number, out var member))
            return;
        member.LastHeard = now;
        switch (message)
        {
            case ReportMessage report:
                Report(member, report, now);
                break;
            case NackMessage nack:
                Nack(nack, now);
                break;
            case LackMessage lack when lack.Pass > member.AnsweredPass && lack.Pass <= Pass && !member.Finished:
                Lack(member, lack);
                break;
            case LackMessage:
                break;
            case LeaveMessage:
                Gone(number, now);
                break;
            default:
                Refused++;
                break;
        }
    }

    /// <summary>A message could not be read.</summary>
    public void RefuseMessage() => Refused++;

    /// <summary>The member left or its connection broke.</summary>
    public void Gone(int number, long now)
    {
        if (!_byNumber.Remove(number, out var member))
            return;
        _members.Remove(member);
        if (!member.Finished)
            _plan.RemoveLacking(member.Lacking);
        if (member.Held > 0 || member.HoldDown > 0)
            Remember(member, now);
        _steps.Choose(_members, _sequence, now, force: true);
        if (_members.Count == 0)
            _block = null;
    }

    private void Remember(SenderMember member, long now)
    {
        if (_memories.Count >= MostRemembered)
            _memories.Clear();
        _memories[member.Name] = new StepMemory(member.Held, member.HoldDown, member.HeldUntil, now);
    }

    private void Report(SenderMember member, ReportMessage report, long now)
    {
        if (report.Epoch != (byte)Epoch)
            return;
        if (report.Highest > _sequence && !member.FromFuture)
        {
            member.FromFuture = true;
            JudgeForgery();
        }
        var last = member.Last;
        if (report.Highest > _sequence || report.Verified > report.Highest || report.Missed > report.Highest || report.Lacking > _chunks
            || (last is not null && (report.Highest < last.Highest || report.Verified < last.Verified)))
        {
            Refused++;
            return;
        }
        var isFirst = !member.Ready;
        member.Report(report, now);
        if (StepKeeping.MayReturn(member, _sequence, now))
            Restep(member, now);
        else if (isFirst && member.InStep && _steps.Pacers.Count < StepKeeping.MostPacers)
            _steps.Choose(_members, _sequence, now, force: true);
        else if (_steps.Judge(member, _members, _sequence, now))
            TellStep(member);
    }

    private void Nack(NackMessage nack, long now)
    {
        if (nack.Epoch != (byte)Epoch || _phase is not (Phase.Streaming or Phase.Closing))
            return;
        // Those who are not pacers speak later, and their worst needs a little more than the worst of the pacers.
        var silent = _members.Count / (double)StepKeeping.MostPacers;
        var margin = silent > 1 ? (int)Math.Round(0.6 * Math.Log2(silent)) : 0;
        switch (_repair.Ask(nack, _sequence, _blocks == 0 ? null : _blocks - 1, RepairShare, margin, MedianLoss()))
        {
            case NackOutcome.Nonsense:
                Refused++;
                break;
            case NackOutcome.Scheduled:
                _repairAsked = now;
                break;
            default:
                break;
        }
    }

    private void Lack(SenderMember member, LackMessage lack)
    {
        // Late answers count, too: what came since then is only lacking less.
        member.AnsweredPass = lack.Pass;
        // What a member has it never lacks again; else it could keep the stream to itself.
        var again = lack.Lacking.Clone();
        again.ExceptWith(member.Lacking);
        if (again.Count > 0)
            Refused++;
        lack.Lacking.ExceptWith(again);
        _plan.RemoveLacking(member.Lacking);
        member.Lacking = lack.Lacking;
        _plan.AddLacking(member.Lacking);
    }

    /// <summary>
    /// A member knows the key and can send packets of its own. One with a sequence far ahead makes all genuine ones look old, to whoever gets it.
    /// When several report such a thing a new key goes out, and the second time the stream is given up.
    /// </summary>
    private void JudgeForgery()
    {
        var deceived = _members.Count(member => member.FromFuture && !member.Finished);
        if (deceived < Math.Max(2, _members.Count(member => !member.Finished) / 4) || _brokenOff)
            return;
        if (++_forgeries >= 2)
        {
            foreach (var member in _members)
                Finish(member, FinishReason.OverHttp);
            return;
        }
        // What they have they still tell at the end of the pass, which is now.
        (_brokenOff, _endOfEpoch, _block) = (true, true, null);
    }

    private void Restep(SenderMember member, long now)
    {
        StepKeeping.Return(member, _sequence);
        _steps.Choose(_members, _sequence, now, force: true);
        TellStep(member);
    }

    private void Finish(SenderMember member, FinishReason reason)
    {
        if (member.Finished)
            return;
        member.Finished = true;
        _plan.RemoveLacking(member.Lacking);
        Tell(member, new FinishMessage(reason));
    }

    private void Tell(SenderMember member, ControlMessage message) => _outbox.Add(new Outgoing(member.Number, message));

    private void TellStep(SenderMember member) =>
        Tell(member, new StepMessage(member.InStep, member.Pacer, (ushort)Math.Min(_members.Count, ushort.MaxValue)));

    private void TellWaiting(long now)
    {
        _waitingToldAt = now;
        var seconds = _options.Start.Until is { } until ? (uint)Math.Clamp((until - now + 999_999) / 1_000_000, 0, uint.MaxValue - 1) : uint.MaxValue;
        foreach (var member in _members)
            Tell(member, new WaitingMessage((ushort)_members.Count, (ushort)Math.Clamp(_options.Start.WaitFor, 0, ushort.MaxValue), seconds));
    }
}
