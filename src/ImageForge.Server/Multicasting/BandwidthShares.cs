namespace ImageForge.Server.Multicasting;

/// <param name="Cap">Bits per second it may send now; null: it has none yet.</param>
/// <param name="Rate">Bits per second it sends.</param>
/// <param name="Sends">It has begun and somebody lacks something.</param>
internal readonly record struct SessionDemand(double? Cap, double Rate, bool Sends);

/// <summary>
/// Shares the bandwidth of all sessions: nobody gets more than a fair part while another wants more, and what a session cannot use, because
/// its machines are slow, goes to the others (max-min fairness).
/// </summary>
internal static class BandwidthShares
{
    /// <summary>A session that uses less of its cap than this is held back by its machines.</summary>
    private const double Used = 0.8;

    /// <summary>Room above its rate for a session that is held back: it may become faster at any time.</summary>
    private const double Headroom = 1.5;

    /// <returns>Bits per second for each session; together at most <paramref name="total"/>.</returns>
    public static double[] Divide(double total, IReadOnlyList<SessionDemand> sessions)
    {
        var shares = new double[sessions.Count];
        if (sessions.Count == 0)
            return shares;
        var fair = total / sessions.Count;
        // Even one that is silent now keeps a tenth of a fair part: it must be able to begin before the next division.
        var wants = sessions.Select(s => !s.Sends ? fair / 10 : s.Cap is { } cap && s.Rate < Used * cap ? Math.Max(s.Rate * Headroom, fair / 10) : double.PositiveInfinity).ToArray();
        var (left, open) = (total, sessions.Count);
        foreach (var i in Enumerable.Range(0, sessions.Count).OrderBy(i => wants[i]))
        {
            shares[i] = Math.Min(wants[i], left / open--);
            left -= shares[i];
        }
        // Nobody wants what is left: then it is there for whoever wants it next.
        if (left > 0)
        {
            for (var i = 0; i < shares.Length; i++)
                shares[i] += left / shares.Length;
        }
        return shares;
    }
}
