using System.Net;
using ImageForge.Multicast;
using ImageForge.Server.Multicasting;

namespace ImageForge.Server.Tests.Multicasting;

public sealed class SilenceCauseTests
{
    private static SendInterface Nic(string name, string address, bool up = true) => new(name, 2, up, 1500, [new OwnAddress(IPAddress.Parse(address), 24)]);

    private static LikelyCause Cause(
        string address = "10.1.0.20", SendInterface? on = null, bool byRoute = false, int ttl = 1, long sent = 1000, string? error = null, int near = 0, int far = 0, int silent = 1, params SendInterface[] others) =>
        SilenceCause.Of(new SilenceFacts("pc-7", IPAddress.Parse(address), new GroupEndpoint(IPAddress.Parse("239.255.73.4"), 30104), ttl, byRoute ? null : on ?? Nic("eth0", "10.1.0.1"), others, sent, error, near, far, silent));

    [Fact]
    public void Each_constellation_has_its_own_cause_and_names_the_machine_and_a_cure()
    {
        (string Code, LikelyCause Cause)[] cases =
        [
            ("nothingSent", Cause(sent: 0)),
            ("wrongInterface", Cause("10.2.0.20", others: Nic("eth1", "10.2.0.1"))),
            ("wrongInterface", Cause("10.2.0.20", ttl: 4, far: 3, others: Nic("eth1", "10.2.0.1"))),
            ("sendRefused", Cause("10.2.0.20", error: "Network is unreachable", near: 1, others: Nic("eth1", "10.2.0.1"))),
            ("sendRefused", Cause(byRoute: true, error: "Permission denied.")),
            ("interfaceDown", Cause("10.9.0.20", on: Nic("eth0", "10.1.0.1", up: false), error: "Network is down")),
            ("interfaceDown", Cause(on: Nic("eth0", "10.1.0.1", up: false))),
            ("ttl", Cause("10.9.0.20")),
            ("ttl", Cause("10.9.0.20", far: 5)),
            ("routing", Cause("10.9.0.20", ttl: 8)),
            ("routing", Cause("10.9.0.20", ttl: 8, far: 5)),
            ("oneMachine", Cause("10.9.0.20", ttl: 8, near: 2)),
            ("oneMachine", Cause(near: 1)),
            ("oneMachine", Cause(near: 4, far: 2)),
            ("nobodyHears", Cause(silent: 2)),
            ("nobodyHears", Cause(silent: 2, byRoute: true)),
            ("noQuerier", Cause()),
            ("noQuerier", Cause(byRoute: true)),
            ("oneMachine", Cause(byRoute: true, far: 2)),
        ];
        Assert.All(cases, c =>
        {
            Assert.Equal(c.Code, c.Cause.Code);
            Assert.StartsWith("pc-7 (10.", c.Cause.Sentence, StringComparison.Ordinal);
            Assert.EndsWith(".", c.Cause.Sentence, StringComparison.Ordinal);
            Assert.EndsWith(".", c.Cause.Cure, StringComparison.Ordinal);
            Assert.DoesNotContain("  ", c.Cause.Sentence + c.Cause.Cure, StringComparison.Ordinal);
        });
        Assert.Contains("Set the interface to eth1", cases[1].Cause.Cure, StringComparison.Ordinal);
        Assert.Contains("does not send it on eth0 (Network is unreachable)", cases[3].Cause.Sentence, StringComparison.Ordinal);
        Assert.Contains("one other machine in its network hears it", cases[12].Cause.Sentence, StringComparison.Ordinal);
        Assert.Contains("4 other machines in its network hear it", cases[13].Cause.Sentence, StringComparison.Ordinal);
        Assert.Contains("any of the 2 machines", cases[14].Cause.Sentence, StringComparison.Ordinal);
        Assert.DoesNotContain("wrong interface", cases[14].Cause.Sentence, StringComparison.Ordinal);
        Assert.StartsWith("Name the interface", cases[15].Cause.Cure, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("10.1.0.1", 24, "10.1.0.255", true)]
    [InlineData("10.1.0.1", 24, "10.1.1.1", false)]
    [InlineData("10.1.0.1", 23, "10.1.1.1", true)]
    [InlineData("10.1.0.1", 0, "192.168.9.9", true)]
    [InlineData("10.1.0.1", 32, "10.1.0.1", true)]
    [InlineData("fe80::1", 64, "fe80::abcd:1", true)]
    [InlineData("fd00:1::1", 64, "fd00:2::1", false)]
    [InlineData("10.1.0.1", 0, "fd00:2::1", false)]
    public void A_network_is_as_long_as_its_prefix(string own, int prefix, string other, bool same) =>
        Assert.Equal(same, new OwnAddress(IPAddress.Parse(own), prefix).SameNetwork(IPAddress.Parse(other)));
}
