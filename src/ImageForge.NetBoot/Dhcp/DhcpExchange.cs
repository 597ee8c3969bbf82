using System.Net;
using ImageForge.Contracts;
using ImageForge.NetBoot.Pxe;

namespace ImageForge.NetBoot.Dhcp;

public enum DhcpExchangeKind
{
    /// <summary>We sent an OFFER.</summary>
    Offered,
    /// <summary>We sent an ACK.</summary>
    Acknowledged,
    /// <summary>We sent a NAK.</summary>
    Refused,
    /// <summary>A client talks to another DHCP server; no answer from us, but it shows which address the MAC is about to use.</summary>
    Observed,
    /// <summary>A client found its address in use by someone else.</summary>
    Declined,
    /// <summary>A client gave its address back.</summary>
    Released,
    /// <summary>No answer; <see cref="DhcpExchange.Reason"/> says why.</summary>
    Ignored,
}

/// <summary>One packet and what became of it: the material for the boot timeline and the MAC → address map.</summary>
/// <param name="Kind">What we did.</param>
/// <param name="Port">67 or 4011 (or the configured stand-ins): which service.</param>
public sealed record DhcpExchange(DhcpExchangeKind Kind, int Port)
{
    /// <summary>Null only when the packet was too broken to tell.</summary>
    public MacAddress? Mac { get; init; }

    /// <summary>The address this MAC has, gets or asks for; null when the packet shows none.</summary>
    public IPAddress? Address { get; init; }

    public DhcpMessageType? Request { get; init; }

    /// <summary>Set when the client wants to boot from the network.</summary>
    public BootClient? Client { get; init; }

    /// <summary>The boot file or URL in our answer.</summary>
    public string? BootFile { get; init; }

    public DhcpIgnoreReason? Reason { get; init; }

    /// <summary>One sentence for a person, or null.</summary>
    public string? Detail { get; init; }
}
