using ImageForge.Lab;
using ImageForge.Lab.Networks;
using ImageForge.NetDoctor.Findings;

namespace ImageForge.NetDoctor.Tests.Namespaces;

public sealed class LinkTests
{
    [NeedsRootFact]
    public async Task A_port_at_100_megabits_and_half_duplex_is_two_problems()
    {
        await using var network = await LabNetwork.CreateAsync();
        // veth has no speed to set; a tap has, and a program that holds it open is its carrier.
        using var cable = TapCable.Open(network.Server, "tap0");
        await Command.RunAsync("ip", "netns", "exec", network.Server, "ethtool", "-s", "tap0", "speed", "100", "duplex", "half", "autoneg", "off");
        await Command.RunAsync("ip", "-n", network.Server, "link", "set", "tap0", "up");
        var run = await DoctorRun.InAsync(network.Server, "-i", "tap0");
        Assert.Equal("100 Mb/s, half duplex", run.Has(Severity.Problem, "slowLink").Measured);
        Assert.Equal("100 Mb/s, half duplex", run.Has(Severity.Problem, "halfDuplex").Measured);
        run.HasNot("noCarrier");
        // No address: what needs one says so.
        run.Has(Severity.NotChecked, "bootServerNotAsked");

        await Command.RunAsync("ip", "netns", "exec", network.Server, "ethtool", "-s", "tap0", "speed", "1000", "duplex", "full", "autoneg", "off");
        run = await DoctorRun.InAsync(network.Server, "-i", "tap0");
        Assert.Equal("1000 Mb/s, full duplex", run.Has(Severity.Fine, "link").Measured);
        run.HasNot("slowLink");
    }

    [NeedsRootFact]
    public async Task Without_signal_switched_off_or_absent_the_doctor_says_so_at_once()
    {
        await using var network = await LabNetwork.CreateAsync();
        await Command.RunAsync("ip", "-n", network.Machines, "link", "set", "v-srv", "down");
        var run = await DoctorRun.InAsync(network.Server, "-i", "eth0");
        run.Has(Severity.Problem, "noCarrier");
        Assert.True(run.Report.Seconds < 3);
        await Command.RunAsync("ip", "-n", network.Server, "link", "set", "eth0", "down");
        (await DoctorRun.InAsync(network.Server, "-i", "eth0")).Has(Severity.Problem, "linkDown");
        run = await DoctorRun.InAsync(network.Server, "-i", "../../eth0");
        Assert.Contains("eth0", run.Has(Severity.Problem, "noSuchInterface").Sentence, StringComparison.Ordinal);
        Assert.Equal(1, run.ExitCode);
    }
}
