using System.Globalization;
using System.Net;
using ImageForge.NetDoctor.Findings;

namespace ImageForge.NetDoctor.Firewall;

/// <summary>Do the rules of this machine let through what booting and sessions need?</summary>
internal static class FirewallCheck
{
    private static readonly IPAddress s_allHosts = IPAddress.Parse("224.0.0.1"), s_igmpReports = IPAddress.Parse("224.0.0.22"), s_group = IPAddress.Parse("239.255.73.1");

    public static IReadOnlyList<TestPacket> Packets(string on, IReadOnlyList<WantedPort> ports, MulticastPlan multicast, bool hasV6) =>
    [
        .. ports.Select(p => new TestPacket(p.Purpose, PacketWay.Arriving, on, p.Transport, Port: p.Number, SourcePort: p.Number == 67 ? 68 : null, To: p.Number == 67 ? IPAddress.Broadcast : null)),
        new TestPacket("answers to machines without an address", PacketWay.Leaving, on, "udp", SourcePort: 67, Port: 68, To: IPAddress.Broadcast),
        new TestPacket("queries", PacketWay.Arriving, on, "igmp", To: s_allHosts),
        new TestPacket("membership reports", PacketWay.Leaving, on, "igmp", To: s_igmpReports),
        .. Enumerable.Range(multicast.FirstPort, multicast.LastPort - multicast.FirstPort + 1).SelectMany(port => (TestPacket[])
        [
            new TestPacket("multicast sessions, sent", PacketWay.Leaving, on, "udp", Port: port, To: s_group),
            new TestPacket("multicast sessions, received", PacketWay.Arriving, on, "udp", Port: port, To: s_group),
        ]),
        .. hasV6 ? (TestPacket[])[new TestPacket("queries", PacketWay.Arriving, on, "ipv6-icmp", IcmpType: "mld-listener-query")] : [],
    ];

    public static IEnumerable<Finding> Judge(string on, FirewallReading reading, IReadOnlyList<TestPacket> packets)
    {
        if (reading.LegacyTables.Count > 0)
            yield return Finding.NotChecked("legacyFirewall", on, $"iptables-legacy: {string.Join(", ", reading.LegacyTables)}", "Rules of the old kind (iptables-legacy) are in force, which nft does not show; they were not judged.",
                "Look at iptables-legacy-save yourself, or move the rules to nftables.");
        if (reading.Rules is not { } rules)
        {
            yield return Finding.NotChecked("firewall", on, reading.Why!, $"Whether a firewall of this machine drops packets could not be looked at: {reading.Why}.", reading.Cure!);
            yield break;
        }
        var found = false;
        foreach (var group in packets.Select(p => (Packet: p, Verdict: rules.Judge(p))).Where(static j => j.Verdict.Dropped != Truth.No).GroupBy(static j => j.Verdict))
        {
            found = true;
            var what = string.Join(", ", group.Select(static j => j.Packet).GroupBy(static p => (p.What, p.Protocol)).Select(static g => Text([.. g])));
            var open = group.First().Packet;
            yield return group.Key.Dropped == Truth.Yes
                ? Finding.Problem(group.All(static j => j.Packet.Protocol == "igmp") ? "firewallDropsIgmp" : "firewallDrops", on, group.Key.Rule!, $"The firewall of this machine drops on {on}: {what}.", Cure(open, group.Key.Rule!))
                : Finding.Warning("firewallMayDrop", on, group.Key.Rule!, $"The firewall of this machine drops in some cases on {on}: {what}.", $"Read the rule ({group.Key.Rule}) and see that it spares these.");
        }
        if (!found)
            yield return Finding.Fine("firewall", on, rules.IsEmpty ? "no rules" : string.Create(CultureInfo.InvariantCulture, $"{rules.Rules} rules"), $"No firewall rule of this machine stands in the way on {on}.");
    }

    /// <summary>Neighbouring ports for one purpose are a range.</summary>
    private static string Text(IReadOnlyList<TestPacket> packets) => packets[0].Port is null || packets.Count == 1 ? packets[0].ToString()
        : string.Create(CultureInfo.InvariantCulture, $"{packets[0].Protocol.ToUpperInvariant()} {packets.Min(static p => p.Port)}–{packets.Max(static p => p.Port)} ({packets[0].What})");

    private static string Cure(TestPacket packet, string rule)
    {
        var table = rule.Split(',')[0];
        var chain = rule.Split("chain ") is [_, var behind, ..] ? behind.Split(':')[0] : packet.Way == PacketWay.Arriving ? "input" : "output";
        var direction = packet.Way == PacketWay.Arriving ? "iifname" : "oifname";
        var match = packet.Port is { } port ? string.Create(CultureInfo.InvariantCulture, $"{packet.Protocol} dport {port}") : packet.IsV6 ? "meta l4proto ipv6-icmp" : "ip protocol igmp";
        return $"Accept it before that rule: nft insert rule {table} {chain} {(table.StartsWith("netdev", StringComparison.Ordinal) ? "" : $"{direction} \"{packet.Interface}\" ")}{match} accept; and keep it in the file your firewall loads at start.";
    }
}
