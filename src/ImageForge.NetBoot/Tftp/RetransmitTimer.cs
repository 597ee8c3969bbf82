namespace ImageForge.NetBoot.Tftp;

/// <summary>
/// How long to wait for an ACK. Starts at what is configured or what the client asked for, follows measured round trips
/// as TCP does (RFC 6298 §2: smoothed mean plus four deviations), and doubles with every silence. A client's own timeout
/// (RFC 2349) is the ceiling, not the rule: curl always asks for 6 s, and would pay them for every lost packet.
/// All times in ticks of 100 ns.
/// </summary>
internal struct RetransmitTimer(long first, long atLeast, long atMost)
{
    private readonly long _longest = Math.Max(first, atMost);
    private long _wait = first;
    private long _mean = -1;
    private long _deviation;
    private int _silences;
    private int _doublings;

    /// <summary>The mean round trip, or <see cref="long.MaxValue"/> before the first.</summary>
    public readonly long RoundTrip => _mean < 0 ? long.MaxValue : _mean;

    /// <summary>Silences since the last ACK that brought progress.</summary>
    public readonly int Silences => _silences;

    public readonly long Wait => Math.Min(atMost, _wait << Math.Min(_doublings, 10));

    public void Silence() => (_silences, _doublings) = (_silences + 1, _doublings + 1);

    /// <summary>
    /// The doubled wait stays until a round trip is measured (RFC 6298 §5.7). A busy client that answers after 300 ms would
    /// otherwise get every window twice, for ever: repeated blocks measure nothing, so the wait would stay at 200 ms.
    /// </summary>
    public void Progress() => _silences = 0;

    /// <summary>Only from blocks sent once (Karn): an ACK for a repeated block may belong to either copy.</summary>
    public void Measured(long roundTrip)
    {
        if (_mean < 0)
            (_mean, _deviation) = (roundTrip, roundTrip / 2);
        else
            (_deviation, _mean) = ((3 * _deviation + Math.Abs(_mean - roundTrip)) / 4, (7 * _mean + roundTrip) / 8);
        _doublings = 0;
        _wait = Math.Clamp(_mean + 4 * _deviation, atLeast, _longest);
    }
}
