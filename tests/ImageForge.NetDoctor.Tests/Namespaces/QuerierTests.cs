using ImageForge.Lab;
using ImageForge.Lab.Networks;
using ImageForge.NetDoctor.Findings;

namespace ImageForge.NetDoctor.Tests.Namespaces;

/// <summary>A Linux bridge is a snooping switch, and with <c>mcast_querier 1</c> a real querier.</summary>
public sealed class QuerierTests
{
    internal static Task SetQuerierAsync(LabNetwork network, bool on) =>
        Command.RunAsync("ip", "-n", network.Machines, "link", "set", "br0", "type", "bridge", "mcast_querier", on ? "1" : "0");

    [NeedsRootFact]
    public async Task A_querier_is_heard_because_a_group_was_left_and_its_absence_is_told()
    {
        await using var network = await LabNetwork.CreateAsync();
        var silent = await DoctorRun.InAsync(network.Server, "-i", "eth0");
        Assert.StartsWith("no query in 4", silent.Has(Severity.Warning, "noIgmpQuerier").Measured, StringComparison.Ordinal);
        silent.Has(Severity.Note, "noMldQuerier");

        await SetQuerierAsync(network, on: true);
        // What it asks by itself after being switched on is over; from now on it would be silent for two minutes.
        await Task.Delay(TimeSpan.FromSeconds(2));
        var run = await DoctorRun.InAsync(network.Server, "-i", "eth0");
        Assert.Equal("0.0.0.0 IGMPv2", run.Has(Severity.Fine, "igmpQuerier").Measured);
        run.Has(Severity.Note, "querierWithoutAddress");
        Assert.EndsWith("MLDv1", run.Has(Severity.Fine, "mldQuerier").Measured, StringComparison.Ordinal);
        run.HasNot("noIgmpQuerier");

        // With an address of its own, and in version 3.
        await Command.RunAsync("ip", "-n", network.Machines, "link", "set", "br0", "type", "bridge", "mcast_igmp_version", "3", "mcast_query_use_ifaddr", "1");
        Assert.Equal($"{LabNetwork.HarnessAddress} IGMPv3", (await DoctorRun.InAsync(network.Server, "-i", "eth0")).Has(Severity.Fine, "igmpQuerier").Measured);
    }

    [NeedsRootFact]
    public async Task A_bridge_of_this_machine_that_snoops_without_a_querier_is_a_problem()
    {
        await using var network = await LabNetwork.CreateAsync();
        var run = await DoctorRun.InAsync(network.Machines, "-i", "br0");
        var finding = run.Has(Severity.Problem, "noIgmpQuerier");
        Assert.Contains("the bridge br0 snoops", finding.Sentence, StringComparison.Ordinal);
        Assert.StartsWith("ip link set dev br0 type bridge mcast_querier 1", finding.Cure, StringComparison.Ordinal);
        Assert.Equal("snooping on, querier off", run.Has(Severity.Note, "bridge").Measured);

        // The cure cures.
        await SetQuerierAsync(network, on: true);
        run = await DoctorRun.InAsync(network.Machines, "-i", "br0");
        run.Has(Severity.Fine, "igmpQuerier");
        Assert.Equal("snooping on, querier on", run.Has(Severity.Note, "bridge").Measured);
    }
}
