using ImageForge.Lab;
using ImageForge.Lab.Networks;
using ImageForge.NetDoctor.Findings;

namespace ImageForge.NetDoctor.Tests.Namespaces;

/// <summary>A machine with two ports on one switch can ask the switch what it does.</summary>
public sealed class TwoInterfacesTests
{
    [NeedsRootFact]
    public async Task Two_interfaces_show_that_the_switch_between_them_snoops_or_loses_multicast()
    {
        await using var network = await LabNetwork.CreateAsync();
        await QuerierTests.SetQuerierAsync(network, on: true);
        await Command.RunAsync("ip", "-n", network.Machines, "link", "add", "v-two", "type", "veth", "peer", "name", "eth1", "netns", network.Server);
        await Command.RunAsync("ip", "-n", network.Machines, "link", "set", "v-two", "master", "br0", "up");
        await Command.RunAsync("ip", "-n", network.Server, "addr", "add", "10.77.0.11/24", "broadcast", "+", "dev", "eth1");
        await Command.RunAsync("ip", "-n", network.Server, "link", "set", "eth1", "up");
        // A bridge trusts its own querier only after the time a member may take to answer.
        await Task.Delay(TimeSpan.FromSeconds(11));
        var run = await DoctorRun.InAsync(network.Server, "-i", "eth0", "-i", "eth1");
        foreach (var on in (string[])["eth0", "eth1"])
        {
            run.Has(Severity.Fine, "multicastBetween", on);
            Assert.Equal("held back", run.Has(Severity.Note, "snooping", on).Measured);
            // Both are in 10.77.0.0/24; a strict filter is off here.
            run.Has(Severity.Fine, "reversePathFilter", on);
        }

        var switchRule = "table bridge filter { chain forward { type filter hook forward priority 0; ip daddr 239.0.0.0/8 drop; }; }";
        var nft = await LabNetwork.TryInAsync(network.Machines, "nft", switchRule);
        Assert.True(nft.ExitCode == 0, nft.All);
        await LabNetwork.TryInAsync(network.Server, "sysctl", "-qw", "net.ipv4.conf.eth1.rp_filter=1");
        run = await DoctorRun.InAsync(network.Server, "-i", "eth0", "-i", "eth1");
        Assert.Contains("broadcast yes, multicast no", run.Has(Severity.Problem, "multicastLost", "eth0").Measured, StringComparison.Ordinal);
        run.Has(Severity.Problem, "multicastLost", "eth1");
        run.Has(Severity.Fine, "reversePathFilter", "eth0");
        run.Has(Severity.Warning, "reversePathFilter", "eth1");
    }
}
