using System.Net;
using ImageForge.Agent.Streams;
using ImageForge.Multicast;

namespace ImageForge.Agent.Tests.Streams;

public sealed class SilentStreamTests
{
    private static readonly IPAddress s_server = IPAddress.Parse("10.0.0.1");
    private static readonly GroupEndpoint s_group = new(IPAddress.Parse("239.77.1.4"), 9000);
    private static readonly ReceiveFacts s_nothing = new(s_group, true, null, 0, 0, 0, null);
    private static readonly ListeningInterface s_near = new("eth0", 2, IPAddress.Parse("10.0.3.7"), 16, true);

    [Fact]
    public void In_the_servers_network_a_switch_without_a_querier_is_the_likeliest() => Assert.Equal(
        "No packet of the stream to 239.77.1.4 port 9000 arrived on eth0 within 5 s: probably a switch with IGMP snooping and no querier; else a firewall on the server, or the server sends on the wrong interface.",
        Cause(s_nothing));

    [Fact]
    public void Without_an_interface_it_is_not_named() => Assert.StartsWith("No packet of the stream to 239.77.1.4 port 9000 arrived within 5 s: probably", Cause(s_nothing, on: null), StringComparison.Ordinal);

    [Fact]
    public void In_another_network_it_is_the_router() => Assert.EndsWith(
        "arrived on eth0 within 5 s: the server is in another network, where a TTL of 1 or a router without multicast routing ends the stream.",
        Cause(s_nothing, s_near with { Address = IPAddress.Parse("10.1.0.7") }), StringComparison.Ordinal);

    [Fact]
    public void IPv6_has_its_own_words() => Assert.Contains("a switch with MLD snooping and no querier",
        Cause(s_nothing with { Group = new GroupEndpoint(IPAddress.Parse("ff15::1"), 9000) }), StringComparison.Ordinal);

    public static TheoryData<string, string> Facts => new()
    {
        { "socket", "This machine cannot listen to the stream to 239.77.1.4 port 9000 on eth0: No such device." },
        { "link", "The network card on eth0 lost its link while it listened to the stream to 239.77.1.4 port 9000: check the cable." },
        { "membership", "is no member of the group of the stream to 239.77.1.4 port 9000 on eth0: it listens on the wrong interface" },
        { "stopped", "came and then stopped on eth0: a switch with IGMP snooping forgot this machine because nobody asks for members (IGMP querier missing)" },
        { "refused", "arrive on eth0 and none of them verifies: another sender uses the same group, or this network card damages them." },
        { "strangers", "Only packets of another sender arrive in the stream to 239.77.1.4 port 9000 on eth0" },
        { "welcome", "the server accepted this machine and then said nothing" },
    };

    [Theory]
    [MemberData(nameof(Facts))]
    public void What_the_machine_knows_comes_before_what_is_likely(string fact, string sentence) => Assert.Contains(sentence, Cause(fact switch
    {
        "socket" => s_nothing with { SocketError = "No such device", Joined = false },
        "membership" => s_nothing with { Joined = false },
        "stopped" => s_nothing with { Verified = 12, Refused = 1, LastHeard = TimeSpan.FromSeconds(5) },
        "refused" => s_nothing with { Refused = 3, Strangers = 9 },
        "strangers" => s_nothing with { Strangers = 9 },
        "welcome" => s_nothing with { Group = null },
        _ => s_nothing,
    }, linkUp: fact != "link"), StringComparison.Ordinal);

    private static string Cause(ReceiveFacts facts, bool? linkUp = true) => Cause(facts, s_near, linkUp);

    private static string Cause(ReceiveFacts facts, ListeningInterface? on, bool? linkUp = true) => SilentStream.Cause(facts, on, s_server, TimeSpan.FromSeconds(5), linkUp);
}
