using ImageForge.Lab;
using ImageForge.Lab.Networks;
using ImageForge.NetDoctor.Findings;

namespace ImageForge.NetDoctor.Tests.Namespaces;

public sealed class PathTests
{
    [NeedsRootFact]
    public async Task A_path_narrower_than_the_interface_is_measured_to_the_byte()
    {
        await using var network = await LabNetwork.CreateAsync();
        await Command.RunAsync("ip", "-n", network.SiteDhcp, "link", "set", "eth0", "mtu", "1400");
        await Command.RunAsync("ip", "-n", network.Machines, "link", "set", "v-dhcp", "mtu", "1400");
        var run = await DoctorRun.InAsync(network.Server, "-i", "eth0", "--target", LabNetwork.SiteDhcpAddress);
        Assert.Equal("1400 bytes of 1500 bytes", run.Has(Severity.Problem, "pathMtuSmall").Measured);

        // Jumbo frames at one end only; the other machine is whole again.
        await Command.RunAsync("ip", "-n", network.SiteDhcp, "link", "set", "eth0", "mtu", "1500");
        await Command.RunAsync("ip", "-n", network.Machines, "link", "set", "v-dhcp", "mtu", "1500");
        await Command.RunAsync("ip", "-n", network.Server, "link", "set", "eth0", "mtu", "9000");
        await Command.RunAsync("ip", "-n", network.Server, "route", "add", "default", "via", LabNetwork.SiteDhcpAddress);
        // Neither interface nor target is named: the default route has both.
        run = await DoctorRun.InAsync(network.Server);
        Assert.Equal("9000 bytes", run.Has(Severity.Warning, "jumboMtu", "eth0").Measured);
        Assert.Equal("1500 bytes of 9000 bytes", run.Has(Severity.Problem, "jumboMismatch").Measured);

        (await DoctorRun.InAsync(network.Server, "-i", "eth0", "--target", "10.77.0.99")).Has(Severity.NotChecked, "pathMtu");
    }
}
