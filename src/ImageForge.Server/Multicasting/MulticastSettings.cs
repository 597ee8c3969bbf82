using System.Text.Json.Serialization;
using ImageForge.Contracts;

namespace ImageForge.Server.Multicasting;

[JsonConverter(typeof(CamelCaseEnumConverter<MulticastFamily>))]
internal enum MulticastFamily { Ipv4, Ipv6 }

/// <summary>How sessions send. A change of the bandwidth holds at once, everything else for senders that begin later.</summary>
/// <param name="Groups">Group addresses to choose from, as a prefix: inside 239.0.0.0/8 or ff10::/12; null: <see cref="DefaultIpv4Groups"/> or <see cref="DefaultIpv6Groups"/>.</param>
/// <param name="FirstPort">UDP ports to choose from, this to <paramref name="LastPort"/>.</param>
/// <param name="Ttl">
/// Routers a packet may pass, plus one. 1 keeps the stream in the server's own segment whatever the routers forward: with more, one room's
/// rollout may flood the lines between buildings. Raise it only where multicast routing is set up for it.
/// </param>
/// <param name="Interface">Name of the network interface to send on; null: the one that the boot services serve, else the route's.</param>
/// <param name="Mtu">Largest IP packet the whole way to every machine carries: 1500, or up to 9216 where every switch, server and machine has jumbo frames.</param>
/// <param name="Batch">
/// Packets handed to the kernel at once. 44 fill one segmentation-offload call; fewer help switches with small buffers, where packets are lost
/// that no machine's socket dropped.
/// </param>
/// <param name="MegabitsPerSecond">For all sessions together, shared fairly; null: as fast as the machines take it.</param>
/// <param name="PatienceSeconds">A machine that hears nothing for so long while the stream runs goes on over HTTP.</param>
internal sealed record MulticastSettings(
    MulticastFamily Family = MulticastFamily.Ipv4,
    string? Groups = null,
    int FirstPort = 30100,
    int LastPort = 30199,
    int Ttl = 1,
    string? Interface = null,
    int Mtu = 1500,
    int Batch = 44,
    double? MegabitsPerSecond = null,
    double PatienceSeconds = 5)
{
    /// <summary>In the scope that no organisation routes to the outside (RFC 2365 §6.1), and none of those that switches send to every port.</summary>
    public const string DefaultIpv4Groups = "239.255.73.0/24";

    /// <summary>Site-local, transient (RFC 4291 §2.7).</summary>
    public const string DefaultIpv6Groups = "ff15::4946:0/112";

    private const int LargestDatagram = 65507, HeaderAndTag = 44;

    [JsonIgnore]
    public string GroupsOrDefault => Groups ?? (Family == MulticastFamily.Ipv4 ? DefaultIpv4Groups : DefaultIpv6Groups);

    /// <summary>F of the protocol: what is left of the MTU without the IP and UDP headers, our header and the tag, in whole vectors of 64 bytes.</summary>
    [JsonIgnore]
    public int FragmentBytes => (Mtu - (Family == MulticastFamily.Ipv4 ? 28 : 48) - HeaderAndTag) & ~63;

    /// <summary><see cref="Batch"/>, as far as one call can carry it.</summary>
    [JsonIgnore]
    public int BatchThatFits => Math.Min(Batch, LargestDatagram / (FragmentBytes + HeaderAndTag));

    [JsonIgnore]
    public double? BitsPerSecond => MegabitsPerSecond * 1e6;
}
