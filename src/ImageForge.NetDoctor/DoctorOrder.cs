using System.Net;

namespace ImageForge.NetDoctor;

/// <summary>What to look at.</summary>
/// <param name="Interfaces">Names; nothing is sent or listened to elsewhere.</param>
/// <param name="Listen">How long to listen, <see cref="ShortestListen"/> to <see cref="LongestListen"/>.</param>
public sealed record DoctorOrder(IReadOnlyList<string> Interfaces, TimeSpan Listen)
{
    /// <summary>Long enough for a DHCP server that pings an address before it offers it (dnsmasq: 3 s).</summary>
    public static readonly TimeSpan ShortestListen = TimeSpan.FromSeconds(4), LongestListen = TimeSpan.FromMinutes(10), DefaultListen = TimeSpan.FromSeconds(10);

    /// <summary>IPv4 addresses of the ImageForge server; besides those of this machine, which always count as ours.</summary>
    public IReadOnlyList<IPAddress> ServerAddresses { get; init; } = [];

    /// <summary>Whom to send undivided packets to; null: the interface's gateway, when there is one.</summary>
    public IPAddress? PathTarget { get; init; }

    public IReadOnlyList<WantedPort> Ports { get; init; } = WantedPort.Defaults(8080, 8443);

    public MulticastPlan Multicast { get; init; } = new();

    /// <summary>Where our DHCP service answers, if it should run; null: not known.</summary>
    public string? ServedInterface { get; init; }

    /// <summary>Process whose sockets are ours; null: any ImageForge server on this machine.</summary>
    public int? ServerProcess { get; init; }
}

/// <summary>Where sessions send.</summary>
/// <param name="FirstPort">UDP.</param>
/// <param name="Ttl">Routers a packet may pass, plus one.</param>
public sealed record MulticastPlan(int FirstPort = 30100, int LastPort = 30199, int Ttl = 1, bool UsesIPv6 = false);

/// <param name="Purpose">"DHCP", for people.</param>
/// <param name="Expected">A service of ours should hold it; null: as it comes (the command line does not know).</param>
public sealed record WantedPort(string Transport, int Number, string Purpose, bool? Expected = null)
{
    public static IReadOnlyList<WantedPort> Defaults(int http, int https) =>
    [
        new("udp", 67, "DHCP"), new("udp", 69, "TFTP"), new("udp", 4011, "PXE boot server"),
        new("tcp", http, "HTTP"), new("tcp", https, "HTTPS"),
    ];
}
