namespace ImageForge.Multicast.Sending;

/// <summary>
/// How fast packets leave: a token bucket with a cap and a rate that starts slowly, grows while the majority loses little and goes back
/// to what arrives when the majority loses. Loss that stays when the rate falls is not congestion and does not hold the rate down.
/// </summary>
internal sealed class Pace(long now)
{
    private const double FirstRate = 16_000;
    private const double HighestRate = 4_000_000;
    private const double LowestRate = 200;
    private const long Interval = 50_000;

    /// <summary>Loss of the majority that is taken for noise.</summary>
    private const double Harmless = 0.03;

    /// <summary>What may leave at once after a pause, in microseconds of the rate: more would be a burst that switches drop.</summary>
    private const long LongestDebt = 10_000;

    private double _tokens = 64;
    private long _filled = now;
    private long _adapted = now;
    private long _sent;
    private bool _slowStart = true;
    private bool _bound;
    private double _ceiling = double.MaxValue;
    private (double Rate, double Loss, int Vain)? _backedOff;
    private double _ambient;

    /// <summary>What arrived at most lately: a pause of the stream is no reason to creep afterwards.</summary>
    private double _best;
    private long _ambientSince;

    /// <summary>Packets per second at most; null: no cap.</summary>
    public double? Cap { get; set; }

    public double Rate { get; private set; } = FirstRate;

    private double Effective => Cap is { } cap ? Math.Max(LowestRate, Math.Min(cap, Rate)) : Rate;

    /// <summary>Packets that may leave now.</summary>
    public int Allowance(long now, int batch)
    {
        var most = Math.Max(batch, Effective * LongestDebt / 1e6);
        _tokens = Math.Min(most, _tokens + (Effective * Math.Max(0, now - _filled) / 1e6));
        _filled = Math.Max(_filled, now);
        return (int)Math.Min(_tokens, 1 << 20);
    }

    /// <summary>When so many packets may leave.</summary>
    public long WhenAllowed(long now, int packets) => now + (long)Math.Ceiling(Math.Max(0, packets - _tokens) * 1e6 / Effective);

    public void Spend(int packets)
    {
        _tokens -= packets;
        _sent += packets;
    }

    /// <summary>The bucket, not a window or the disk, held packets back.</summary>
    public void WasBound() => _bound = true;

    /// <summary>Nothing that was before tells how fast the stream may be.</summary>
    public void Restart(long now) => (_adapted, _sent, _bound) = (now, 0, false);

    /// <summary>Whether it is time to judge by what <paramref name="packets"/> packets per member tell.</summary>
    public bool IsDue(long now, double packets) => now - _adapted >= Interval && (packets >= 1_500 || (now - _adapted >= 5 * Interval && packets >= 200));

    /// <param name="loss">Share of its packets that the network lost to the member in the middle of those in step.</param>
    /// <param name="arrived">Packets that it got since the last judgement.</param>
    public void Adapt(long now, double loss, double arrived)
    {
        var seconds = (now - _adapted) / 1e6;
        var (goodput, sent) = (arrived / seconds, _sent / seconds);
        var bound = _bound;
        _best = Math.Max(goodput, _best * (1 - Math.Min(1, seconds / 5)));
        (_adapted, _sent, _bound) = (now, 0, false);
        if (now - _ambientSince > 10_000_000)
            _ambient = 0;

        if (_backedOff is { } backedOff)
        {
            var vain = loss >= 0.6 * backedOff.Loss ? backedOff.Vain + 1 : 0;
            if (vain >= 3)
            {
                // Three steps down did not help: it is the cables or the air, not us.
                (_ambient, _ambientSince) = (Math.Max(loss, backedOff.Loss), now);
                (Rate, _ceiling, _backedOff) = (backedOff.Rate, double.MaxValue, null);
                return;
            }
            _backedOff = loss > _ambient + Harmless ? (backedOff.Rate, loss, vain) : null;
        }

        if (loss > _ambient + Harmless)
        {
            var real = Math.Min(Rate, Math.Max(sent, LowestRate));
            _backedOff ??= (real, loss, 0);
            _ceiling = real;
            _slowStart = false;
            Rate = Math.Max(Math.Max(LowestRate, _best / 4), Math.Clamp(0.95 * goodput, 0.4 * real, 0.9 * real));
        }
        else if (bound || _slowStart && sent > 0.5 * Rate)
        {
            Rate = Math.Min(HighestRate, Rate * (_slowStart ? 2 : Rate < 0.5 * _best ? 1.5 : Rate < 0.9 * _ceiling ? 1.05 : 1.005));
        }
    }
}
