using System.Net;
using ImageForge.NetDoctor.Findings;
using ImageForge.NetDoctor.Firewall;

namespace ImageForge.NetDoctor.Tests.Firewall;

/// <summary>nft's own words (recorded, nftables 1.0.6), shortened to what a case is about.</summary>
public sealed class RulesetTests
{
    private static readonly TestPacket s_boot = new("PXE", PacketWay.Arriving, "eth0", "udp", Port: 4011);

    [Theory]
    [InlineData("accept", "", "No")]
    [InlineData("drop", "", "Yes")]
    [InlineData("drop", """{"match":{"op":"in","left":{"ct":{"key":"state"}},"right":["established","related"]}},{"accept":null}""", "Yes")]
    [InlineData("drop", """{"match":{"op":"==","left":{"meta":{"key":"iifname"}},"right":"lo"}},{"accept":null}""", "Yes")]
    [InlineData("drop", """{"match":{"op":"==","left":{"meta":{"key":"iifname"}},"right":"eth*"}},{"accept":null}""", "No")]
    [InlineData("drop", """{"match":{"op":"==","left":{"payload":{"protocol":"udp","field":"dport"}},"right":{"set":[67,{"range":[4000,4020]}]}}},{"accept":null}""", "No")]
    [InlineData("drop", """{"match":{"op":"==","left":{"payload":{"protocol":"tcp","field":"dport"}},"right":4011}},{"accept":null}""", "Yes")]
    [InlineData("drop", """{"match":{"op":"==","left":{"payload":{"protocol":"ip","field":"saddr"}},"right":{"prefix":{"addr":"10.0.0.0","len":8}}}},{"accept":null}""", "Maybe")]
    [InlineData("drop", """{"limit":{"rate":10,"burst":5,"per":"second"}},{"accept":null}""", "Maybe")]
    [InlineData("drop", """{"vmap":{"key":{"payload":{"protocol":"udp","field":"dport"}},"data":{"set":[[53,{"drop":null}],[4011,{"accept":null}]]}}}""", "No")]
    [InlineData("drop", """{"vmap":{"key":{"ct":{"key":"state"}},"data":{"set":[["invalid",{"drop":null}],["established",{"accept":null}]]}}}""", "Yes")]
    [InlineData("accept", """{"match":{"op":"==","left":{"payload":{"protocol":"udp","field":"dport"}},"right":"@open"}},{"return":null}""", "No")]
    [InlineData("accept", """{"match":{"op":"!=","left":{"payload":{"protocol":"udp","field":"dport"}},"right":"@open"}},{"drop":null}""", "No")]
    [InlineData("accept", """{"match":{"op":"!=","left":{"payload":{"protocol":"udp","field":"dport"}},"right":67}},{"counter":{"packets":0,"bytes":0}},{"log":{"prefix":"x"}},{"drop":null}""", "Yes")]
    [InlineData("accept", """{"match":{"op":"!=","left":{"payload":{"protocol":"tcp","field":"dport"}},"right":22}},{"drop":null}""", "No")]
    [InlineData("accept", """{"xt":{"type":"match","name":"udp"}},{"drop":null}""", "Maybe")]
    [InlineData("accept", """{"match":{"op":"==","left":{"meta":{"key":"l4proto"}},"right":17}},{"jump":{"target":"sub"}}""", "Yes")]
    [InlineData("accept", """{"match":{"op":"==","left":{"meta":{"key":"nfproto"}},"right":"ipv6"}},{"goto":{"target":"sub"}}""", "No")]
    [InlineData("accept", """{"jump":{"target":"nowhere"}}""", "Maybe")]
    [InlineData("accept", """{"match":{"op":"==","left":{"fib":{"result":"type","flags":["daddr"]}},"right":"local"}},{"drop":null}""", "Maybe")]
    public void A_packet_is_dropped_not_dropped_or_perhaps(string policy, string rule, string dropped) =>
        Assert.Equal(dropped, Parse(policy, rule).Judge(s_boot).Dropped.ToString());

    [Fact]
    public void Igmp_is_known_by_number_name_and_group()
    {
        var query = new TestPacket("queries", PacketWay.Arriving, "eth0", "igmp", To: IPAddress.Parse("224.0.0.1"));
        foreach (var rule in (string[])[
            """{"match":{"op":"==","left":{"payload":{"protocol":"ip","field":"protocol"}},"right":2}},{"drop":null}""",
            """{"match":{"op":"==","left":{"meta":{"key":"l4proto"}},"right":{"set":["icmp","igmp"]}}},{"drop":null}""",
            """{"match":{"op":"==","left":{"payload":{"protocol":"ip","field":"daddr"}},"right":{"prefix":{"addr":"224.0.0.0","len":4}}}},{"drop":null}""",
            """{"match":{"op":"==","left":{"meta":{"key":"pkttype"}},"right":"multicast"}},{"drop":null}"""])
        {
            Assert.Equal(Truth.Yes, Parse("accept", rule).Judge(query).Dropped);
            Assert.NotEqual(Truth.Yes, Parse("accept", rule).Judge(s_boot).Dropped);
        }
    }

    [Fact]
    public void Rules_that_cannot_be_read_are_not_called_open()
    {
        var finding = Assert.Single(FirewallCheck.Judge("eth0", new FirewallReading(null, "the program nft is not there", "Install it."), [s_boot]));
        Assert.Equal((Severity.NotChecked, "firewall"), (finding.Severity, finding.Code));
        var legacy = FirewallCheck.Judge("eth0", new FirewallReading(Parse("accept", ""), null, null) { LegacyTables = ["filter"] }, [s_boot]);
        Assert.Contains(legacy, f => f is { Severity: Severity.NotChecked, Code: "legacyFirewall" });
    }

    [Fact]
    public void One_rule_that_drops_many_is_one_finding()
    {
        var rules = Parse("accept", """{"match":{"op":"==","left":{"meta":{"key":"iifname"}},"right":"eth0"}},{"match":{"op":"==","left":{"payload":{"protocol":"udp","field":"dport"}},"right":{"range":[1,65535]}}},{"drop":null}""");
        var packets = FirewallCheck.Packets("eth0", WantedPort.Defaults(8080, 8443), new MulticastPlan(), hasV6: true);
        var finding = Assert.Single(FirewallCheck.Judge("eth0", new FirewallReading(rules, null, null), packets));
        Assert.Equal("The firewall of this machine drops on eth0: UDP 67 (DHCP), UDP 69 (TFTP), UDP 4011 (PXE boot server), UDP 30100–30199 (multicast sessions, received).", finding.Sentence);
        Assert.Equal("inet f, chain in: iifname eth0 udp dport 1-65535 drop", finding.Measured);
    }

    private const string Rules = """
        {"nftables":[{"metainfo":{"version":"1.0.6","json_schema_version":1}},{"table":{"family":"inet","name":"f","handle":1}},
        {"set":{"family":"inet","name":"open","table":"f","type":"inet_service","handle":3,"flags":["interval"],"elem":[69,{"range":[4011,4020]}]}},
        {"chain":{"family":"inet","table":"f","name":"sub","handle":2}},
        {"chain":{"family":"inet","table":"f","name":"in","handle":1,"type":"filter","hook":"input","prio":0,"policy":"POLICY"}},
        {"rule":{"family":"inet","table":"f","chain":"sub","handle":9,"expr":[{"reject":{"type":"icmpx","expr":"port-unreachable"}}]}},
        {"rule":{"family":"inet","table":"f","chain":"in","handle":4,"expr":[EXPRESSIONS]}}]}
        """;

    private static Ruleset Parse(string policy, string rule) =>
        Ruleset.Parse(Rules.Replace("POLICY", policy, StringComparison.Ordinal).Replace("EXPRESSIONS", rule, StringComparison.Ordinal));
}
