using System.Net;

namespace ImageForge.NetBoot.Dhcp;

/// <summary>The full DHCP server for a network that has no other.</summary>
/// <param name="PoolFirst">First address handed out.</param>
/// <param name="PoolLast">Last address handed out, same subnet.</param>
/// <param name="SubnetMask">Mask of the interface.</param>
public sealed record DhcpServerOptions(IPAddress PoolFirst, IPAddress PoolLast, IPAddress SubnetMask)
{
    public IPAddress? Gateway { get; init; }
    public IReadOnlyList<IPAddress> Dns { get; init; } = [];
    public TimeSpan LeaseTime { get; init; } = TimeSpan.FromHours(1);

    /// <summary>How long an offered address waits for its REQUEST.</summary>
    public TimeSpan OfferHold { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long an address that a client declined stays out of use.</summary>
    public TimeSpan Quarantine { get; init; } = TimeSpan.FromMinutes(10);
}
