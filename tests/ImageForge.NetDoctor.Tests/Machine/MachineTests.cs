using System.Net;
using ImageForge.NetDoctor.Findings;
using ImageForge.NetDoctor.Kernel;
using ImageForge.NetDoctor.Paths;
using ImageForge.NetDoctor.Ports;

namespace ImageForge.NetDoctor.Tests.Machine;

/// <summary>The kernel's text files, as it writes them.</summary>
public sealed class MachineTests
{
    [Fact]
    public void Bound_sockets_are_read_with_address_port_and_inode()
    {
        var udp = SocketTable.Parse("udp", """
              sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
              412: 0100007F:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 18243 2 0000000000000000 0
              nonsense
            """);
        Assert.Equal(new BoundSocket("udp", IPAddress.Loopback, 53, 18243), Assert.Single(udp));
        var tcp = SocketTable.Parse("tcp", """
              sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
               0: 00000000000000000000000001000000:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 777 1 0 100 0 0 10 0
               1: 00000000000000000000000001000000:1F90 00000000000000000000000001000000:C350 01 00000000:00000000 00:00000000 00000000     0        0 778 1 0 100 0 0 10 0
            """);
        Assert.Equal(new BoundSocket("tcp", IPAddress.IPv6Loopback, 8080, 777), Assert.Single(tcp));
    }

    [Fact]
    public void The_best_default_route_is_taken_and_another_mask_is_none()
    {
        const string Text = """
            Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
            eth1	00000000	FE4D0A0A	0003	0	0	200	00000000	0	0	0
            eth0	00000000	FE004D0A	0003	0	0	100	00000000	0	0	0
            wg0	00000000	00000000	0001	0	0	0	00000080	0	0	0
            eth0	00004D0A	00000000	0001	0	0	0	00FFFFFF	0	0	0
            """;
        Assert.Equal(("eth0", IPAddress.Parse("10.77.0.254")), Routes.Default(Text));
        Assert.Equal(("eth1", IPAddress.Parse("10.10.77.254")), Routes.Default(Text, "eth1"));
        Assert.Null(Routes.Default(Text, "eth2"));
    }

    [Theory]
    [InlineData(true, false, null, "portSilent", Severity.Problem)]
    [InlineData(null, false, null, "portFree", Severity.Note)]
    [InlineData(false, false, null, "port", Severity.Fine)]
    [InlineData(true, true, "Answers", "port", Severity.Fine)]
    [InlineData(true, true, "Refuses", "portRefuses", Severity.Problem)]
    [InlineData(true, true, "Silent", "portBlocked", Severity.Problem)]
    public void A_port_of_ours_is_held_and_answers_or_it_is_told(bool? expected, bool held, string? answer, string code, Severity severity)
    {
        PortHolder[] holders = held ? [new(new BoundSocket("tcp", IPAddress.IPv6Any, 8443, 1), new SocketOwner(9, "ImageForge", true))] : [];
        var finding = Assert.Single(PortCheck.Judge(new PortFacts(new WantedPort("tcp", 8443, "HTTPS", expected), holders, answer is null ? null : Enum.Parse<SelfAnswer>(answer))));
        Assert.Equal((code, severity), (finding.Code, finding.Severity));
    }

    [Fact]
    public void A_holder_that_may_not_be_seen_is_not_called_ours()
    {
        var hidden = new PortHolder(new BoundSocket("udp", IPAddress.Any, 67, 1), null);
        Assert.Equal(Severity.NotChecked, Assert.Single(PortCheck.Judge(new PortFacts(new WantedPort("udp", 67, "DHCP", true), [hidden], null))).Severity);
        var stranger = hidden with { Owner = new SocketOwner(9, "vlc", false) };
        Assert.Equal("multicastPortTaken", PortCheck.JudgeRange(30100, 30199, [stranger]).Code);
    }

    [Theory]
    [InlineData(1, true, 20, "reversePathFilter", Severity.Warning)]
    [InlineData(1, false, 20, "reversePathFilter", Severity.Fine)]
    [InlineData(2, true, 20, "reversePathFilter", Severity.Fine)]
    [InlineData(0, false, 2, "fewMemberships", Severity.Warning)]
    public void Kernel_settings_that_swallow_multicast_are_told(int filter, bool ambiguous, int memberships, string code, Severity severity) =>
        Assert.Contains(KernelCheck.Judge(new KernelFacts("eth0", filter, memberships, 0, ambiguous)), f => f.Code == code && f.Severity == severity);

    [Fact]
    public void A_router_that_says_too_big_is_told_from_an_echo_and_from_strangers()
    {
        var target = IPAddress.Parse("10.0.0.9");
        byte[] Ip(byte protocol, string from, params byte[] payload) => [0x45, 0, 0, (byte)(20 + payload.Length), 0, 0, 0, 0, 64, protocol, 0, 0, .. IPAddress.Parse(from).GetAddressBytes(), 10, 0, 0, 1, .. payload];
        byte[] Echo(byte type, ushort id) => [type, 0, 0, 0, (byte)(id >> 8), (byte)id, 0, 5];
        Assert.Equal(PathProbe.EchoReading.Ours, PathProbe.Read(Ip(1, "10.0.0.9", Echo(0, 0x1234)), target, 0x1234, 5));
        Assert.Equal(PathProbe.EchoReading.Other, PathProbe.Read(Ip(1, "10.0.0.8", Echo(0, 0x1234)), target, 0x1234, 5));
        Assert.Equal(PathProbe.EchoReading.Other, PathProbe.Read(Ip(1, "10.0.0.9", Echo(0, 0x1234)), target, 0x1234, 6));
        byte[] quoted = Ip(1, "10.0.0.1", Echo(8, 0x1234));
        Assert.Equal(PathProbe.EchoReading.TooBig, PathProbe.Read(Ip(1, "10.0.0.254", [3, 4, 0, 0, 0, 0, 5, 0x78, .. quoted]), target, 0x1234, 5));
        Assert.Equal(PathProbe.EchoReading.Other, PathProbe.Read(Ip(1, "10.0.0.254", [3, 1, 0, 0, 0, 0, 5, 0x78, .. quoted]), target, 0x1234, 5));
        Assert.Equal(PathProbe.EchoReading.Other, PathProbe.Read(Ip(1, "10.0.0.254", [3, 4, 0, 0, 0, 0, 5, 0x78, .. quoted[..^1]]), target, 0x1234, 5));
    }
}
