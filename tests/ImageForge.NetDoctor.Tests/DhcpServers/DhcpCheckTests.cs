using ImageForge.NetDoctor.DhcpServers;
using ImageForge.NetDoctor.Findings;

namespace ImageForge.NetDoctor.Tests.DhcpServers;

/// <summary>Constellations that no server at hand gives.</summary>
public sealed class DhcpCheckTests
{
    private static readonly DhcpAnswer s_site = new("eth0", AskedAs.Plain, AnswerKind.Dhcp, "10.0.0.2", "10.0.0.2", "52:54:00:00:00:02", false, "10.0.0.50", "255.255.255.0", "10.0.0.254", null, null, null, null, null);

    [Fact]
    public void Our_service_that_should_answer_and_does_not_is_a_problem()
    {
        Assert.Contains(Judge(true, s_site), f => f is { Code: "ourDhcpSilent", Severity: Severity.Problem });
        Assert.DoesNotContain(Judge(false, s_site), f => f.Code == "ourDhcpSilent");
    }

    [Fact]
    public void A_second_dhcp_server_beside_our_own_is_a_problem_even_when_it_says_the_same()
    {
        var ours = s_site with { Server = "10.0.0.1", From = "10.0.0.1", Ours = true };
        var finding = Assert.Single(Judge(true, s_site, ours), f => f.Code == "otherDhcpServer");
        Assert.EndsWith("10.0.0.2.", finding.Sentence, StringComparison.Ordinal);
        Assert.DoesNotContain(Judge(true, ours), f => f.Severity == Severity.Problem);
    }

    [Fact]
    public void A_next_server_alone_is_told_and_a_server_that_names_itself_is_not()
    {
        Assert.Contains(Judge(false, s_site with { TftpServer = "10.0.0.7" }), f => f is { Code: "nextServerElsewhere", Severity: Severity.Warning });
        // dnsmasq does so unasked.
        Assert.Contains(Judge(false, s_site with { NextServer = "10.0.0.2" }), f => f.Code == "noBootFileFromDhcp");
        Assert.Contains(Judge(false, s_site with { NextServer = "10.0.0.1" }), f => f.Code == "noBootFileFromDhcp");
        // Windows sets option 66, and siaddr to itself.
        Assert.Contains(Judge(false, s_site with { NextServer = "10.0.0.2", TftpServer = "10.0.0.1", BootFile = "ipxe.efi" }), f => f is { Code: "dhcpNamesUs", Severity: Severity.Note });
        Assert.Contains(Judge(false, s_site with { NextServer = "10.0.0.2", BootFile = "wdsnbp.com" }), f => f is { Code: "bootFileElsewhere", Severity: Severity.Problem } && f.Measured == "10.0.0.2, wdsnbp.com");
    }

    [Fact]
    public void A_boot_file_for_one_firmware_only_is_found_too() =>
        Assert.Contains(Judge(false, s_site, s_site with { Asked = AskedAs.Uefi, NextServer = "10.0.0.9", BootFile = "grubx64.efi" }), f => f is { Code: "bootFileElsewhere", Measured: "10.0.0.9, grubx64.efi" });

    private static List<Finding> Judge(bool expected, params DhcpAnswer[] answers) =>
        [.. DhcpCheck.Judge("eth0", answers, new HashSet<string> { "10.0.0.1" }, expected, TimeSpan.FromSeconds(10))];
}
