using System.Net;

namespace ImageForge.NetDoctor.Firewall;

internal enum PacketWay { Arriving, Leaving }

/// <summary>A packet that must get through, as rules look at it. Null: any.</summary>
/// <param name="What">For people: "DHCP questions".</param>
/// <param name="Protocol">"udp", "tcp", "igmp", "ipv6-icmp".</param>
/// <param name="To">Destination, where it is known.</param>
internal sealed record TestPacket(string What, PacketWay Way, string Interface, string Protocol, int? SourcePort = null, int? Port = null, IPAddress? To = null, string? IcmpType = null)
{
    public bool IsV6 => Protocol == "ipv6-icmp";

    public int ProtocolNumber => Protocol switch { "igmp" => 2, "tcp" => 6, "udp" => 17, _ => 58 };

    public override string ToString() => Port is { } port ? $"{Protocol.ToUpperInvariant()} {port} ({What})" : $"{(IsV6 ? "MLD" : Protocol.ToUpperInvariant())} ({What})";
}
