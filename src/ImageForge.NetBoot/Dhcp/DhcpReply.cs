using System.Net;

namespace ImageForge.NetBoot.Dhcp;

/// <summary>What a responder decided about one packet: an exchange to record and perhaps bytes to send.</summary>
/// <param name="Exchange">What happened.</param>
/// <param name="Packet">The reply, or null.</param>
/// <param name="Destination">Where the reply goes; 255.255.255.255 is sent as a broadcast on the interface.</param>
public sealed record DhcpReply(DhcpExchange Exchange, DhcpPacket? Packet = null, IPEndPoint? Destination = null);

/// <summary>How a packet came in.</summary>
/// <param name="Source">The sender.</param>
/// <param name="ServerAddress">Our address on the interface it came in on.</param>
/// <param name="Port">Our port it came in on.</param>
public sealed record DhcpArrival(IPEndPoint Source, IPAddress ServerAddress, int Port);

/// <summary>Answers DHCP packets. Implementations hold no socket; called by one thread at a time.</summary>
public interface IDhcpResponder
{
    DhcpReply Respond(DhcpPacket request, DhcpArrival arrival);
}
