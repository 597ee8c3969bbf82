using System.Net;

namespace ImageForge.NetBoot.Tftp;

/// <param name="ListenAddress">Usually 0.0.0.0; answers leave from the address the request was sent to.</param>
/// <param name="Port">69; 0 takes a free one.</param>
public sealed record TftpServerOptions(IPAddress ListenAddress, int Port)
{
    /// <summary>Bind to this device; empty: any.</summary>
    public string Interface { get; init; } = "";

    /// <summary>First wait for an ACK, unless the client asked for its own with the <c>timeout</c> option. Follows measured round trips, doubles with every silence.</summary>
    public TimeSpan RetransmitAfter { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Measured round trips shorten the wait, but never below this.</summary>
    public TimeSpan RetransmitAtLeast { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>The wait never grows beyond this.</summary>
    public TimeSpan RetransmitAtMost { get; init; } = TimeSpan.FromSeconds(8);

    /// <summary>A transfer ends after this many retransmissions in a row without an ACK.</summary>
    public int Retries { get; init; } = 6;

    /// <summary>Largest block accepted (RFC 2348 allows 65464). 1468 fills an Ethernet frame: IP and UDP headers 28, TFTP 4.</summary>
    public int MaxBlockSize { get; init; } = 1468;

    /// <summary>Largest window accepted, in blocks (RFC 7440 allows 65535).</summary>
    public int MaxWindowSize { get; init; } = 64;

    /// <summary>Transfers at once in all. A request beyond is counted and not answered: the client repeats it, where an error would end its boot.</summary>
    public int MaxTransfers { get; init; } = 1000;

    /// <summary>Transfers at once from one address.</summary>
    public int MaxTransfersPerSource { get; init; } = 32;
}
