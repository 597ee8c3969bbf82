namespace ImageForge.NetBoot.Dhcp;

/// <summary>Totals since start. Safe to read from any thread.</summary>
public sealed class DhcpCounters
{
    private readonly long[] _kinds = new long[Enum.GetValues<DhcpExchangeKind>().Length];
    private readonly long[] _reasons = new long[Enum.GetValues<DhcpIgnoreReason>().Length];
    private long _received;

    public long Received => Interlocked.Read(ref _received);
    public long Count(DhcpExchangeKind kind) => Interlocked.Read(ref _kinds[(int)kind]);
    public long Count(DhcpIgnoreReason reason) => Interlocked.Read(ref _reasons[(int)reason]);

    /// <summary>The reasons that occurred, with their number.</summary>
    public IReadOnlyDictionary<DhcpIgnoreReason, long> Ignored =>
        Enum.GetValues<DhcpIgnoreReason>().Where(r => Count(r) > 0).ToDictionary(r => r, Count);

    internal void Record(DhcpExchange exchange)
    {
        Interlocked.Increment(ref _received);
        Interlocked.Increment(ref _kinds[(int)exchange.Kind]);
        if (exchange.Reason is { } reason)
            Interlocked.Increment(ref _reasons[(int)reason]);
    }
}
