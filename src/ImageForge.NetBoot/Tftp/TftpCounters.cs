namespace ImageForge.NetBoot.Tftp;

/// <summary>Totals since start. Safe to read from any thread.</summary>
public sealed class TftpCounters
{
    private readonly long[] _reasons = new long[Enum.GetValues<TftpIgnoreReason>().Length];
    private readonly long[] _outcomes = new long[Enum.GetValues<TftpOutcome>().Length];
    private long _requests, _bytes, _retransmitted;

    /// <summary>Packets received on the request port.</summary>
    public long Requests => Interlocked.Read(ref _requests);

    /// <summary>Bytes of files acknowledged by clients.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Blocks sent more than once.</summary>
    public long Retransmitted => Interlocked.Read(ref _retransmitted);

    public long Count(TftpIgnoreReason reason) => Interlocked.Read(ref _reasons[(int)reason]);
    public long Count(TftpOutcome outcome) => Interlocked.Read(ref _outcomes[(int)outcome]);

    /// <summary>The reasons that occurred, with their number.</summary>
    public IReadOnlyDictionary<TftpIgnoreReason, long> Ignored =>
        Enum.GetValues<TftpIgnoreReason>().Where(r => Count(r) > 0).ToDictionary(r => r, Count);

    internal void RecordRequest() => Interlocked.Increment(ref _requests);
    internal void Record(TftpIgnoreReason reason) => Interlocked.Increment(ref _reasons[(int)reason]);

    internal void Record(TftpTransferReport report)
    {
        Interlocked.Increment(ref _outcomes[(int)report.Outcome]);
        Interlocked.Add(ref _bytes, report.Bytes);
        Interlocked.Add(ref _retransmitted, report.Retransmitted);
    }
}
