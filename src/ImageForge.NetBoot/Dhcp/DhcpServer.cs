using ImageForge.NetBoot.ProxyDhcp;

namespace ImageForge.NetBoot.Dhcp;

/// <summary>The full DHCP server: addresses from a pool, and boot options for those who ask (RFC 2131 §4.3). Holds no socket.</summary>
public sealed class DhcpServer(DhcpServerOptions options, ILeaseStore store, IBootPolicy policy, TimeProvider time) : IDhcpResponder
{
    public DhcpReply Respond(DhcpPacket request, DhcpArrival arrival) => throw new NotImplementedException($"{options} {store} {policy} {time}");
}
