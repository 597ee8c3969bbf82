using ImageForge.Lab.Networks;
using ImageForge.NetDoctor.Findings;

namespace ImageForge.NetDoctor.Tests.Namespaces;

/// <summary>Ports that are taken, packets that are dropped, rights that are missing.</summary>
public sealed class BlockedTests
{
    [NeedsRootFact]
    public async Task A_rule_that_drops_is_named_with_what_it_drops()
    {
        await using var network = await LabNetwork.CreateAsync();
        var rules = """
            table inet site {
                chain in { type filter hook input priority 0; policy accept; udp dport 4011 drop; ip protocol igmp drop; ip saddr 10.0.0.0/8 tcp dport 8443 reject; }
                chain out { type filter hook output priority 0; udp dport 30100-30150 drop; }
            }
            """;
        var nft = await LabNetwork.TryInAsync(network.Server, "nft", rules.Replace("}\n", "};\n", StringComparison.Ordinal).ReplaceLineEndings(" "));
        Assert.True(nft.ExitCode == 0, nft.All);
        var run = await DoctorRun.InAsync(network.Server, "-i", "eth0");
        var drops = run.Report.Findings.Where(f => f.Code == "firewallDrops").ToList();
        Assert.Equal(["inet site, chain in: udp dport 4011 drop", "inet site, chain out: udp dport 30100-30150 drop"], drops.Select(f => f.Measured).Order());
        Assert.Contains("UDP 4011 (PXE boot server)", drops.Single(f => f.Measured.Contains("4011", StringComparison.Ordinal)).Sentence, StringComparison.Ordinal);
        Assert.StartsWith("Accept it before that rule: nft insert rule inet site in iifname \"eth0\" udp dport 4011 accept", drops.Single(f => f.Measured.Contains("4011", StringComparison.Ordinal)).Cure, StringComparison.Ordinal);
        Assert.Equal("inet site, chain in: ip protocol igmp drop", run.Has(Severity.Problem, "firewallDropsIgmp").Measured);
        Assert.Contains("TCP 8443 (HTTPS)", run.Has(Severity.Warning, "firewallMayDrop").Sentence, StringComparison.Ordinal);

        // The cure that was named cures, as it was named.
        var cure = drops.Single(f => f.Measured.Contains("4011", StringComparison.Ordinal)).Cure!;
        var command = cure[(cure.IndexOf("nft ", StringComparison.Ordinal) + 4)..cure.IndexOf(';', StringComparison.Ordinal)].Replace("\"", "", StringComparison.Ordinal);
        nft = await LabNetwork.TryInAsync(network.Server, "nft", command.Split(' '));
        Assert.True(nft.ExitCode == 0, nft.All);
        run = await DoctorRun.InAsync(network.Server, "-i", "eth0");
        Assert.DoesNotContain(run.Report.Findings, f => f.Measured.Contains("4011", StringComparison.Ordinal));
    }

    [NeedsRootFact]
    public async Task A_port_that_another_program_holds_is_told_with_its_name()
    {
        await using var network = await LabNetwork.CreateAsync();
        await using var tftp = await Dnsmasq.StartAsync(network, network.Server, "--enable-tftp", $"--tftp-root={network.Folder}");
        var run = await DoctorRun.InAsync(network.Server, "-i", "eth0");
        var finding = run.Has(Severity.Problem, "portTaken");
        Assert.Contains("UDP 69 (TFTP) is held by dnsmasq (process ", finding.Sentence, StringComparison.Ordinal);
        Assert.Contains("dnsmasq at 10.77.0.1:69", finding.Measured, StringComparison.Ordinal);
        Assert.Equal(4, run.Report.Findings.Count(f => f.Code == "portFree"));
    }

    [NeedsRootFact]
    public async Task Without_rights_nothing_passes_that_was_not_looked_at()
    {
        await using var network = await LabNetwork.CreateAsync();
        await using var tftp = await Dnsmasq.StartAsync(network, network.Server, "--enable-tftp", $"--tftp-root={network.Folder}");
        var run = await DoctorRun.WithAsync(network.Server, ["setpriv", "--bounding-set=-all", "--inh-caps=-all"], "-i", "eth0");
        Assert.Equal(1, run.ExitCode);
        run.Has(Severity.NotChecked, "noRawSocket");
        run.Has(Severity.NotChecked, "firewall");
        foreach (var unseen in (string[])["igmpQuerier", "noIgmpQuerier", "dhcpServer", "noDhcpServer", "multicastEcho"])
            run.HasNot(unseen);
        // What needs no rights is done all the same.
        run.Has(Severity.Fine, "link");
    }
}
