using ImageForge.NetBoot.Dhcp;

namespace ImageForge.NetBoot.ProxyDhcp;

/// <summary>
/// Answers network-boot clients beside a DHCP server that knows nothing of us: the same responder serves port 67
/// (broadcast DISCOVER) and port 4011 (unicast REQUEST). Pure: no socket, no state.
/// </summary>
public sealed class ProxyDhcpResponder(IBootPolicy policy) : IDhcpResponder
{
    public DhcpReply Respond(DhcpPacket request, DhcpArrival arrival) => throw new NotImplementedException($"{policy}");
}
