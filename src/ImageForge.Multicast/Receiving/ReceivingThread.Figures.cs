using ImageForge.Multicast.Messages;
using ImageForge.Multicast.Packets;
using ImageForge.Multicast.Sockets;

namespace ImageForge.Multicast.Receiving;

internal sealed partial class ReceivingThread
{
    private const long Second = 1_000_000;

    /// <summary>Losing more than this share, a member is held up by its network.</summary>
    private const double LossOfNote = 0.01;

    private ReceiveSocketOptions? _socketOptions;
    private GroupEndpoint? _group;
    private string? _socketError;
    private long _strangers;
    private long _refused;
    private long _fragments;
    private long _rows;
    private long _waitedAt = -2 * Second;
    private long _ratedAt;
    private (ulong Verified, ulong Missed, long Drops) _rated;
    private double _rate;
    private MemberLimit _limit;

    /// <summary>The kernel counts for each socket; another epoch may have another.</summary>
    private long Drops => _socket?.Drops ?? 0;

    public ReceiverFigures Figures()
    {
        lock (_gate)
        {
            var waiting = core.Waiting is { } told
                ? new WaitingForStart(told.Members, told.WaitFor, told.Seconds == uint.MaxValue ? null : TimeSpan.FromSeconds(told.Seconds))
                : null;
            return new ReceiverFigures(_rate * 8 * (_fragmentBytes + PacketHeader.Overhead), (long)core.Sequences.Count, (long)core.Sequences.Missed, _refused, _drops,
                (int)core.TurnedAway, core.Lacking.Count + core.OverHttp.Count, (int)core.Pass, core.InStep, _limit, waiting)
            {
                RepairShare = _fragments == 0 ? 0 : _rows / (double)_fragments,
            };
        }
    }

    public ReceiveOutcome Outcome(ReceiveEnd end)
    {
        var figures = Figures();
        lock (_gate)
        {
            var lacking = core.Lacking.Clone();
            foreach (var chunk in sink.Refused())
                core.Wrong(chunk);
            lacking.UnionWith(core.OverHttp);
            var joined = _group is { } group && Membership.IsHeld(group.Group, options.InterfaceName);
            var facts = new ReceiveFacts(_group, joined, _socketError, _strangers, _refused, (long)core.Sequences.Count,
                core.HeardAt is { } heard ? TimeSpan.FromMicroseconds(now() - heard) : null);
            // The last frame may have come while the end was told.
            return new ReceiveOutcome(lacking.Count == 0 ? ReceiveEnd.Complete : end == ReceiveEnd.Complete ? ReceiveEnd.GoOnOverHttp : end, lacking, figures, facts);
        }
    }

    private long _drops;

    /// <summary>Under the lock.</summary>
    private ReceiverStatus Status(long at)
    {
        var hasRoom = sink.HasRoom;
        _drops = Drops;
        var passed = at - _ratedAt;
        if (passed >= Second)
        {
            var (verified, missed) = (core.Sequences.Count, core.Sequences.Missed);
            var arrived = verified >= _rated.Verified ? verified - _rated.Verified : verified;
            var lost = missed > _rated.Missed ? missed - _rated.Missed : 0;
            _rate = arrived * 1e6 / passed;
            var behind = !hasRoom || at - _waitedAt < Second ? sink.Behind : MemberLimit.None;
            _limit = behind != MemberLimit.None ? behind
                : _drops > _rated.Drops ? MemberLimit.Processor
                : lost > LossOfNote * (arrived + lost) ? MemberLimit.Network
                : MemberLimit.None;
            (_ratedAt, _rated) = (at, (verified, missed, _drops));
        }
        return new ReceiverStatus(hasRoom, (ulong)_refused, (ulong)_drops, (uint)Math.Clamp(sink.WaitingBytes, 0, uint.MaxValue), _limit);
    }
}
