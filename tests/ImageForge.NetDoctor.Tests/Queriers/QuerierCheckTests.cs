using System.Net;
using ImageForge.NetDoctor.Findings;
using ImageForge.NetDoctor.Queriers;

namespace ImageForge.NetDoctor.Tests.Queriers;

public sealed class QuerierCheckTests
{
    private static readonly TimeSpan s_ten = TimeSpan.FromSeconds(10);

    [Fact]
    public void Without_a_provocation_a_short_silence_says_how_to_be_sure()
    {
        var waited = Assert.Single(Judge(new QuerierFacts("eth0", s_ten, [], false, null, false, false, null)));
        Assert.Equal((Severity.Warning, "noIgmpQuerier"), (waited.Severity, waited.Code));
        Assert.Contains("--seconds 130", waited.Cure, StringComparison.Ordinal);
        var provoked = Assert.Single(Judge(new QuerierFacts("eth0", s_ten, [], true, null, false, false, null)));
        Assert.DoesNotContain("--seconds", provoked.Cure, StringComparison.Ordinal);
    }

    [Fact]
    public void Silence_beside_a_switch_that_snoops_is_a_problem()
    {
        Assert.Contains(Judge(new QuerierFacts("eth0", s_ten, [], true, null, false, false, SnoopingSeen: true)), f => f is { Code: "noIgmpQuerier", Severity: Severity.Problem });
        var port = Judge(new QuerierFacts("eth0", s_ten, [], true, new BridgeState("br7", true, true, false, false), false, false, null));
        Assert.Contains(port, f => f is { Code: "noIgmpQuerier", Severity: Severity.Problem } && f.Cure!.Contains("dev br7", StringComparison.Ordinal));
        Assert.Contains(port, f => f.Code == "portDoesNotFlood");
        // A bridge that does not snoop floods: nothing is cut.
        Assert.Contains(Judge(new QuerierFacts("eth0", s_ten, [], true, new BridgeState("br7", true, false, false, true), false, false, null)), f => f is { Code: "noIgmpQuerier", Severity: Severity.Warning });
    }

    [Fact]
    public void Mld_counts_only_where_sessions_use_ipv6()
    {
        Assert.Contains(Judge(new QuerierFacts("eth0", s_ten, [], true, null, true, false, null)), f => f is { Code: "noMldQuerier", Severity: Severity.Note });
        Assert.Contains(Judge(new QuerierFacts("eth0", s_ten, [], true, null, true, true, null)), f => f is { Code: "noMldQuerier", Severity: Severity.Warning });
    }

    [Fact]
    public void An_old_a_slow_and_a_second_querier_are_noticed()
    {
        HeardQuery Query(string from, int version, int? interval = null) => new(IPAddress.Parse(from), false, new GroupMessage(GroupMessageKind.Query, version, null, s_ten, interval is { } i ? TimeSpan.FromSeconds(i) : null), TimeSpan.FromSeconds(1), false);
        var codes = Judge(new QuerierFacts("eth0", s_ten, [Query("10.0.0.1", 1), Query("10.0.0.2", 3, 600)], true, null, false, false, null)).ToDictionary(f => f.Code, f => f.Measured);
        Assert.Equal(["igmpQuerier", "igmpVersion1", "querierSlow", "severalIgmpQueriers"], codes.Keys.Order());
        Assert.Equal(("600 s", "10.0.0.1 IGMPv1, 10.0.0.2 IGMPv3"), (codes["querierSlow"], codes["igmpQuerier"]));
        Assert.Equal(["igmpQuerier"], Judge(new QuerierFacts("eth0", s_ten, [Query("10.0.0.1", 3, 125)], true, null, false, false, null)).Select(f => f.Code));
    }

    private static List<Finding> Judge(QuerierFacts facts) => [.. QuerierCheck.Judge(facts)];
}
