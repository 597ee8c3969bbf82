using System.Net;

namespace ImageForge.NetBoot.Tftp;

public enum TftpOutcome
{
    /// <summary>The last block was acknowledged.</summary>
    Completed,
    /// <summary>The client sent an ERROR; UEFI does so after it learnt the size with tsize, and then asks again.</summary>
    AbortedByClient,
    /// <summary>No ACK after every retry.</summary>
    TimedOut,
    /// <summary>Never began: see <see cref="TftpTransferReport.Detail"/>.</summary>
    Refused,
    /// <summary>The file could not be read to its end.</summary>
    ReadFailed,
    /// <summary>The server stopped.</summary>
    ServerStopped,
}

/// <summary>One request and how it ended.</summary>
public sealed record TftpTransferReport(IPEndPoint Client, string Path, TftpOutcome Outcome)
{
    /// <summary>Bytes of the file acknowledged.</summary>
    public long Bytes { get; init; }
    public long Length { get; init; }
    public TimeSpan Elapsed { get; init; }
    public int BlockSize { get; init; }
    public int WindowSize { get; init; }
    /// <summary>Blocks sent more than once.</summary>
    public long Retransmitted { get; init; }
    public string? Detail { get; init; }
}
