using System.Net;

namespace ImageForge.NetBoot.Dhcp;

/// <summary>Where a <see cref="DhcpListener"/> listens.</summary>
/// <param name="Interface">Interface name, for example <c>eth0</c>; the socket is bound to that device. Empty: no device binding (tests on loopback).</param>
/// <param name="ServerAddress">Our IPv4 address on that interface, put in the replies.</param>
/// <param name="Port">67 for DHCP and proxyDHCP, 4011 for the PXE boot server.</param>
public sealed record DhcpListenerOptions(string Interface, IPAddress ServerAddress, int Port)
{
    /// <summary>Where clients listen (68).</summary>
    public int ClientPort { get; init; } = 68;
}
