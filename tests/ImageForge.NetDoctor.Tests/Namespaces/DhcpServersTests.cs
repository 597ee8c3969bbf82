using ImageForge.Lab.Networks;
using ImageForge.NetDoctor.DhcpServers;
using ImageForge.NetDoctor.Findings;

namespace ImageForge.NetDoctor.Tests.Namespaces;

/// <summary>Real dnsmasq servers beside the machine that the doctor runs on (10.77.0.1).</summary>
public sealed class DhcpServersTests
{
    private const string Range = "--dhcp-range=10.77.0.50,10.77.0.200,255.255.255.0,1h", Router = "--dhcp-option=option:router,10.77.0.254";

    [NeedsRootFact]
    public async Task A_network_as_it_should_be_ends_with_0_and_a_boot_file_of_the_site_with_1()
    {
        await using var network = await LabNetwork.CreateAsync();
        await QuerierTests.SetQuerierAsync(network, on: true);
        await using (await Dnsmasq.StartAsync(network, network.SiteDhcp, Range, Router))
        {
            var run = await DoctorRun.InAsync(network.Server, "--interface", "eth0");
            run.Has(Severity.Fine, "dhcpServer");
            run.Has(Severity.Fine, "noBootFileFromDhcp");
            run.Has(Severity.Fine, "multicastEcho");
            run.Has(Severity.Fine, "firewall");
            Assert.True(run.Report.AllFine && run.ExitCode == 0, string.Join('\n', run.Report.Findings));
            // Three questions, one server; no lease was taken.
            Assert.Equal([AskedAs.Plain, AskedAs.Bios, AskedAs.Uefi], run.Report.DhcpServers.Select(a => a.Asked).Order());
            Assert.Equal("10.77.0.254", run.Answer(LabNetwork.SiteDhcpAddress, AskedAs.Plain).Router);
            Assert.Empty((await File.ReadAllTextAsync(Path.Combine(network.Folder, $"{network.SiteDhcp}.leases"))).Trim());
        }

        await using (await Dnsmasq.StartAsync(network, network.SiteDhcp, Range, "--dhcp-boot=undionly.kpxe,old,10.77.0.9", "--dhcp-option=60,PXEClient"))
        {
            var run = await DoctorRun.InAsync(network.Server, "-i", "eth0");
            Assert.Equal(1, run.ExitCode);
            var finding = run.Has(Severity.Problem, "bootFileElsewhere");
            Assert.Contains("10.77.0.9", finding.Sentence, StringComparison.Ordinal);
            Assert.Contains("undionly.kpxe", finding.Sentence, StringComparison.Ordinal);
            run.Has(Severity.Problem, "dhcpClaimsBootServer");
            // Of another machine's view the same boot file points to the right place.
            var other = await DoctorRun.InAsync(network.Server, "-i", "eth0", "--server", "10.77.0.9");
            other.HasNot("bootFileElsewhere");
            other.Has(Severity.Note, "dhcpNamesUs");
        }
    }

    [NeedsRootFact]
    public async Task Another_proxy_dhcp_is_found_on_both_its_ports()
    {
        await using var network = await LabNetwork.CreateAsync();
        var rogue = await network.AddClientAsync("rogue", "10.77.0.66");
        await using var site = await Dnsmasq.StartAsync(network, network.SiteDhcp, Range);
        await using var proxy = await Dnsmasq.StartAsync(network, rogue, "--dhcp-range=10.77.0.0,proxy", "--pxe-service=x86PC,Install,rogue", "--pxe-service=X86-64_EFI,Install,rogue.efi");
        var run = await DoctorRun.InAsync(network.Server, "-i", "eth0");
        Assert.Contains("10.77.0.66", run.Has(Severity.Problem, "otherProxyDhcp").Sentence, StringComparison.Ordinal);
        Assert.Contains("10.77.0.66", run.Has(Severity.Problem, "otherBootServer").Sentence, StringComparison.Ordinal);
        run.Has(Severity.Fine, "dhcpServer");
        var bios = run.Answer("10.77.0.66", AskedAs.Bios);
        Assert.Equal((AnswerKind.ProxyDhcp, null, "PXEClient", false), (bios.Kind, bios.OfferedAddress, bios.VendorClass, bios.Ours));
        Assert.NotNull(bios.VendorOptions);
        Assert.Equal((AnswerKind.BootServer, "rogue.efi"), (run.Answer("10.77.0.66", AskedAs.BootServer).Kind, run.Answer("10.77.0.66", AskedAs.BootServer).BootFile));
    }

    [NeedsRootFact]
    public async Task Two_dhcp_servers_are_a_pair_only_when_they_say_the_same()
    {
        await using var network = await LabNetwork.CreateAsync();
        var second = await network.AddClientAsync("second", "10.77.0.3");
        await using var site = await Dnsmasq.StartAsync(network, network.SiteDhcp, Range, Router);
        await using (await Dnsmasq.StartAsync(network, second, "--dhcp-range=10.77.0.201,10.77.0.220,255.255.255.0,1h", Router))
        {
            var run = await DoctorRun.InAsync(network.Server, "-i", "eth0");
            Assert.Contains("10.77.0.3", run.Has(Severity.Note, "severalDhcpServers").Measured, StringComparison.Ordinal);
        }
        await using (await Dnsmasq.StartAsync(network, second, "--dhcp-range=10.77.0.201,10.77.0.220,255.255.255.0,1h", "--dhcp-option=option:router,10.77.0.3"))
        {
            var run = await DoctorRun.InAsync(network.Server, "-i", "eth0");
            var finding = run.Has(Severity.Problem, "dhcpServersDiffer");
            Assert.Contains("10.77.0.2 says network 10.77.0.0, router 10.77.0.254", finding.Sentence, StringComparison.Ordinal);
            Assert.Contains("10.77.0.3 says network 10.77.0.0, router 10.77.0.3", finding.Sentence, StringComparison.Ordinal);
        }
    }
}
