using ImageForge.Multicast.Messages;
using ImageForge.Multicast.Sending;

namespace ImageForge.Multicast.Receiving;

internal sealed partial class ReceiverCore
{
    private const long StatusEvery = 1_000_000;

    /// <summary>Packets between the reports of a pacer.</summary>
    private const int ReportEvery = 512;

    /// <summary>Reports per second of all pacers together: what requests and the others leave of 2,000 messages at 500 members.</summary>
    private const double Reports = 600;

    /// <summary>Others speak after the pacers had time to, and spread out by so much per member.</summary>
    private const long AfterPacers = 60_000;
    private const long SpreadPerMember = 1_000;

    /// <summary>Without a row for so long, those that were announced are lost; doubles with each request that nothing answers.</summary>
    private const long RowsWithin = 100_000;
    private const int MostRequests = 8;
    private const int MostInVain = 2;

    /// <summary>At the end of a pass: for packets that are still in the socket, and for repair.</summary>
    private const long TailWithin = 1_000_000;
    private const long RepairWithin = 1_500_000;

    private readonly List<OpenBlock> _asking = [];
    private byte _epoch;
    private int _member = -1;
    private int _members = 1;
    private int _pacers = 1;
    private bool _pacer;
    private double _share = 1 / 16.0;
    private long _heardAt;
    private long? _runsSince;
    private bool _sinkWaits;
    private int _sinceReport;
    private long _reportedAt = long.MinValue / 2;
    private bool _reportNow;
    private PassEndMessage? _passEnd;
    private long _passEndAt;
    private long? _caughtUpAt;
    private long _lackAt;
    private long _wake = long.MinValue;
    private bool _left;

    public bool InStep { get; private set; } = true;

    public uint Pass { get; private set; }

    /// <summary>Before a scheduled start.</summary>
    public WaitingMessage? Waiting { get; private set; }

    /// <summary>Non-null: it is over.</summary>
    public ReceiveEnd? End { get; private set; }

    /// <summary>The stream runs.</summary>
    public bool Runs => _runsSince is not null;

    /// <summary>A welcome came: a new epoch begins, and what was open is given up.</summary>
    public void Welcome(int member, uint epoch, int fragmentBytes, long now)
    {
        (_member, _epoch, _fragmentBytes) = (member, (byte)epoch, fragmentBytes);
        foreach (var open in _open.Values)
            Dropped.Add(open.Number);
        _open.Clear();
        _asking.Clear();
        _closed.Clear();
        _closedOrder.Clear();
        _sequences.Clear();
        (_latest, _newest, _openBytes, _nextAsk, _awaitedSince, _passEnd, _heardAt, _reportNow) = (null, 0, 0, long.MaxValue, ulong.MaxValue, null, now, true);
    }

    /// <summary>The sender says something on the connection.</summary>
    public void Hear(ControlMessage message, long now)
    {
        switch (message)
        {
            case StepMessage step:
                (InStep, _pacer, _members, Waiting, _reportNow) = (step.InStep, step.Pacer, Math.Max(1, (int)step.Members), null, true);
                _pacers = Math.Min(_members, StepKeeping.MostPacers);
                if (_runsSince is null)
                    (_runsSince, _heardAt) = (now, now);
                break;
            case WaitingMessage waiting:
                Waiting = waiting;
                break;
            case PassEndMessage passEnd:
                (_passEnd, _passEndAt, _caughtUpAt, _reportNow) = (passEnd, now, null, true);
                break;
            case FinishMessage finish:
                Finish(finish.Reason switch
                {
                    FinishReason.Stopped => ReceiveEnd.Stopped,
                    FinishReason.NothingLeft when Lacking.Count + OverHttp.Count == 0 => ReceiveEnd.Complete,
                    _ => ReceiveEnd.GoOnOverHttp,
                });
                break;
            default:
                break;
        }
    }

    /// <summary>The sender announces something in the stream.</summary>
    /// <param name="sequence">Of the packet.</param>
    public void Hear(Announcement announcement, ulong sequence, long now)
    {
        if (announcement.Sent && sequence > _awaitedSince)
            EndRows(sequence, now);
        (_members, _pacers, _share, Pass) = (Math.Max(1, announcement.Members), Math.Max(1, announcement.Pacers.Count), announcement.Share / 256.0, announcement.Pass);
        var pacer = announcement.Pacers.Contains(_member);
        _reportNow |= pacer && !_pacer;
        _pacer = pacer;
        foreach (var (block, group, rows) in announcement.Scheduled)
            if (TryGet(block, out var open) && open.Schedule(group, rows))
            {
                open.News(now);
                open.AwaitedSince = sequence;
                _awaitedSince = Math.Min(_awaitedSince, sequence);
            }
    }

    /// <summary>This machine cannot go on; the sender is told.</summary>
    public void GiveUp(ReceiveEnd end)
    {
        _member = Math.Max(_member, 0);
        Finish(end);
    }

    /// <summary>When a packet verified last; null: none did.</summary>
    public long? HeardAt { get; private set; }

    /// <summary>The sink keeps the receiving thread waiting: silence is no wonder then.</summary>
    public void SinkWaits(bool waits, long now) => (_sinkWaits, _heardAt) = (waits, now);

    /// <summary>Whether <see cref="Poll"/> has something to do.</summary>
    public bool IsDue(long now) => now >= _wake || _reportNow || (_pacer && _sinceReport >= ReportPackets && now - _reportedAt >= ReportInterval);

    /// <summary>Adds what is to be said now; messages that are added together travel together.</summary>
    /// <param name="wake">When to call again if nothing happens before.</param>
    public void Poll(long now, in ReceiverStatus status, List<ControlMessage> outbox, out long wake)
    {
        wake = now + 50_000;
        _wake = wake;
        if (_left || _member < 0)
            return;
        if (Lacking.Count == 0)
            Finish(OverHttp.Count == 0 ? ReceiveEnd.Complete : ReceiveEnd.GoOnOverHttp);
        else if (_runsSince is not null && !_sinkWaits && now - _heardAt > _options.Patience)
            Finish(ReceiveEnd.NothingHeard);
        if (End is { } end)
        {
            _left = true;
            outbox.Add(new LeaveMessage(end switch
            {
                ReceiveEnd.Complete => LeaveReason.Complete,
                ReceiveEnd.NothingHeard => LeaveReason.NothingHeard,
                ReceiveEnd.Stopped => LeaveReason.Stopped,
                _ => LeaveReason.OverHttp,
            }));
            return;
        }
        if (now >= _nextAsk)
            ChooseRequests(now);
        var since = now - _reportedAt;
        // Requests ride on reports, which keeps the number of messages down.
        if (_reportNow || since >= StatusEvery || (_asking.Count > 0 && since >= AskInterval)
            || (_pacer && ((_sinceReport >= ReportPackets && since >= ReportInterval) || (_sinceReport > 0 && since >= Math.Max(20_000, 4 * ReportInterval)))))
        {
            Report(now, status, outbox);
        }
        AnswerPassEnd(now, outbox);
        wake = Math.Min(_reportedAt + StatusEvery, _nextAsk);
        if (_asking.Count > 0)
            wake = Math.Min(wake, _reportedAt + AskInterval);
        if (_pacer && _sinceReport > 0)
            wake = Math.Min(wake, _reportedAt + Math.Max(20_000, 4 * ReportInterval));
        if (_passEnd is not null)
            wake = Math.Min(wake, _caughtUpAt is null ? now + 5_000 : Math.Max(_lackAt, now + 1_000));
        _wake = wake = Math.Clamp(wake, now, now + 50_000);
    }

    private int ReportPackets => Math.Min(ReportEvery, Math.Max(8, _options.SocketPackets / 8));

    private long ReportInterval => (long)(_pacers * 1e6 / Reports);

    private long Spread => _members * SpreadPerMember;

    private long AskInterval => _pacer ? ReportInterval : Spread;

    /// <summary>How long to wait before saying what somebody else may say, too.</summary>
    private long Delay() => Reordering + (_pacer ? 0 : AfterPacers + _random.NextInt64(Spread));

    private void Finish(ReceiveEnd end)
    {
        End ??= end;
        _wake = long.MinValue;
    }

    private void Report(long now, in ReceiverStatus status, List<ControlMessage> outbox)
    {
        outbox.Add(new ReportMessage(_epoch, _sequences.Highest, _sequences.Count, status.Refused, _sequences.Missed, status.Drops, TurnedAway,
            (uint)(Lacking.Count + OverHttp.Count), status.WaitingBytes, status.Limit));
        foreach (var open in _asking)
        {
            if (open.IsWhole || !_open.ContainsKey(open.Number))
                continue;
            outbox.Add(new NackMessage(_epoch, _sequences.Highest, open.Number, open.Needs()));
            AskAt(open, now + ((long)(RowsWithin * _options.Scale) << open.InVain) + (_pacer ? 0 : _random.NextInt64(Spread)));
            open.Asked++;
            open.InVain++;
        }
        _asking.Clear();
        (_reportedAt, _sinceReport, _reportNow) = (now, 0, false);
    }

    private void ChooseRequests(long now)
    {
        _nextAsk = long.MaxValue;
        for (var i = _open.Count - 1; i >= 0; i--)
        {
            var open = _open.Values[i];
            if (open.AskAt > now)
            {
                _nextAsk = Math.Min(_nextAsk, open.AskAt);
                continue;
            }
            // Asked too often or without an answer, or lacking more than repair is worth: it comes in the next pass.
            if (open.Asked >= MostRequests || open.InVain >= MostInVain || !IsWorthRepair(open))
            {
                Drop(open);
                continue;
            }
            var rowsWithin = (long)(RowsWithin * _options.Scale);
            if (open.IsCovered && now - open.NewsAt < rowsWithin)
                AskAt(open, open.NewsAt + rowsWithin + (_pacer ? 0 : _random.NextInt64(Spread)));
            else if (!_asking.Contains(open))
                _asking.Add(open);
        }
    }

    private bool IsWorthRepair(OpenBlock open)
    {
        for (var group = 0; group < open.Shape.Groups; group++)
            if (open.Missing(group) > RepairBook.MostRows(open.Shape.GroupSize(group), _share))
                return false;
        return true;
    }

    private void AnswerPassEnd(long now, List<ControlMessage> outbox)
    {
        if (_passEnd is not { } passEnd)
            return;
        if (_caughtUpAt is null)
        {
            // By a clock that began with the message, never by an idle socket: junk would keep it busy.
            if (_sequences.Highest < passEnd.LastSequence && now - _passEndAt < (long)(TailWithin * _options.Scale))
                return;
            _caughtUpAt = now;
            _lackAt = now + (_members > Sending.StepKeeping.MostPacers ? _random.NextInt64(Spread) : 0);
            EndBlocks(uint.MaxValue, now);
        }
        var news = _caughtUpAt.Value;
        foreach (var open in _open.Values)
            news = Math.Max(news, open.NewsAt);
        if (_open.Count > 0 && now - news < (long)(RepairWithin * _options.Scale) + Spread)
            return;
        while (_open.Count > 0)
            Drop(_open.Values[0]);
        if (now < _lackAt)
            return;
        outbox.Add(new LackMessage(passEnd.Pass, Lacking.Clone()));
        _passEnd = null;
    }
}
