using System.Net;
using ImageForge.NetBoot.Dhcp;
using ImageForge.NetBoot.ProxyDhcp;
using ImageForge.NetBoot.Pxe;
using ImageForge.NetBoot.Tests.Dhcp;

namespace ImageForge.NetBoot.Tests.ProxyDhcp;

public sealed class ProxyDhcpResponderTests
{
    private static readonly DhcpArrival BootServer = new(new IPEndPoint(IPAddress.Parse("10.77.0.103"), 68), Requests.Server, 4011);
    private static readonly (DhcpOptionCode, byte[]) Pxe = (DhcpOptionCode.VendorClass, "PXEClient:Arch:00000:UNDI:002001"u8.ToArray());

    private readonly ProxyDhcpResponder _proxy = new(new BootPolicy(client => client switch
    {
        { IsHttp: true } => new BootFile("http://10.77.0.1:8080/snponly.efi"),
        { IsIpxe: true } => new BootFile("http://10.77.0.1:8080/boot.ipxe"),
        { Architecture: ClientArchitecture.Bios } => new BootFile("undionly.kpxe"),
        { Architecture: ClientArchitecture.X64 } => new BootFile("snponly.efi"),
        var other => new NoBootFile($"no boot file for {other.Architecture!.Value.Describe()}"),
    }));

    private DhcpReply Send(DhcpPacket packet, DhcpArrival? arrival = null) => _proxy.Respond(packet, arrival ?? Requests.Broadcast);

    [Fact]
    public void Ovmf_is_offered_a_boot_file_and_no_address()
    {
        var reply = Send(Requests.Read("ovmf-pxe-discover"));
        var offer = reply.OnTheWire();

        Assert.Equal(new IPEndPoint(IPAddress.Broadcast, 68), reply.Destination);
        Assert.Equal(DhcpMessageType.Offer, offer.Type);
        Assert.Equal(IPAddress.Any, offer.YourAddress);
        Assert.Equal(Requests.Server, offer.NextServer);
        Assert.Equal("10.77.0.1", offer.ServerName);
        Assert.Equal("snponly.efi", offer.File);
        Assert.Equal("PXEClient", offer.Options.Text(DhcpOptionCode.VendorClass));
        Assert.Equal(Requests.Server, offer.Options.Address(DhcpOptionCode.ServerIdentifier));
        Assert.Equal("10.77.0.1", offer.Options.Text(DhcpOptionCode.TftpServerName));
        Assert.Equal("snponly.efi", offer.Options.Text(DhcpOptionCode.BootFileName));
        Assert.Equal(Requests.Read("ovmf-pxe-discover").Options.Find(DhcpOptionCode.ClientMachineIdentifier), offer.Options.Find(DhcpOptionCode.ClientMachineIdentifier));
        // Some UEFI firmware ignores an offer that has option 43 (see VendorOptions).
        Assert.False(offer.Options.Has(DhcpOptionCode.VendorSpecific));
        Assert.Equal(("snponly.efi", DhcpExchangeKind.Offered), (reply.Exchange.BootFile, reply.Exchange.Kind));
    }

    [Fact]
    public void An_ipxe_rom_is_offered_the_script_in_the_file_field()
    {
        // iPXE 1.0.0 says "Nothing to boot" to a proxy offer whose file field is empty.
        var offer = Send(Requests.Read("ipxe-1.0.0-discover")).OnTheWire();
        Assert.Equal("http://10.77.0.1:8080/boot.ipxe", offer.File);
        Assert.Equal(Requests.Server, offer.NextServer);
    }

    [Fact]
    public void Uefi_http_boot_is_offered_a_url_by_an_HTTPClient()
    {
        var offer = Send(Requests.Read("ovmf-http-discover")).OnTheWire();
        Assert.Equal("HTTPClient", offer.Options.Text(DhcpOptionCode.VendorClass));
        Assert.Equal("http://10.77.0.1:8080/snponly.efi", offer.Options.Text(DhcpOptionCode.BootFileName));
        Assert.Equal("http://10.77.0.1:8080/snponly.efi", offer.File);
    }

    [Fact]
    public void A_bios_rom_is_told_to_use_the_boot_file_without_a_menu()
    {
        var offer = Send(Requests.Make(DhcpMessageType.Discover, null, Pxe, (DhcpOptionCode.ClientArchitecture, [0, 0]))).OnTheWire();
        Assert.Equal([6, 1, 8, 255], offer.Options.Find(DhcpOptionCode.VendorSpecific));
        Assert.Equal("undionly.kpxe", offer.File);
        // The ROM left its GUID out: nothing to echo.
        Assert.False(offer.Options.Has(DhcpOptionCode.ClientMachineIdentifier));
    }

    [Fact]
    public void The_boot_server_port_answers_the_sender_with_an_ack()
    {
        var request = Requests.Read("ovmf-pxe-request") with { ClientAddress = IPAddress.Parse("10.77.0.103") };
        var reply = Send(request, BootServer);
        var ack = reply.OnTheWire();

        Assert.Equal(DhcpMessageType.Ack, ack.Type);
        Assert.Equal(BootServer.Source, reply.Destination);
        Assert.Equal("snponly.efi", ack.File);
        Assert.Equal(IPAddress.Parse("10.77.0.103"), reply.Exchange.Address);
        Assert.Equal(DhcpExchangeKind.Acknowledged, reply.Exchange.Kind);
    }

    [Fact]
    public void The_boot_item_a_rom_asked_for_is_repeated()
    {
        var request = Requests.Make(DhcpMessageType.Request, null, Pxe, (DhcpOptionCode.ClientArchitecture, [0, 0]), (DhcpOptionCode.VendorSpecific, [71, 4, 0x80, 1, 0, 0, 255]));
        Assert.Equal([71, 4, 0x80, 1, 0, 0, 255], Send(request, BootServer).OnTheWire().Options.Find(DhcpOptionCode.VendorSpecific));
    }

    [Fact]
    public void A_request_to_the_sites_dhcp_server_is_watched_for_its_address_only()
    {
        var seen = Send(Requests.Read("ovmf-pxe-request"), Requests.Broadcast with { ServerAddress = IPAddress.Parse("10.77.0.99") });
        Assert.Null(seen.Packet);
        Assert.Equal(DhcpExchangeKind.Observed, seen.Exchange.Kind);
        Assert.Equal(IPAddress.Parse("10.77.0.103"), seen.Exchange.Address);
        Assert.Equal("52:54:00:aa:00:02", seen.Exchange.Mac.ToString());
    }

    [Fact]
    public void Ignores_discover_of_an_ordinary_client()
    {
        var reply = Send(Requests.Make(DhcpMessageType.Discover, null, (DhcpOptionCode.VendorClass, "MSFT 5.0"u8.ToArray())));
        Assert.Null(reply.Packet);
        Assert.Equal(DhcpIgnoreReason.NotNetBoot, reply.Exchange.Reason);
    }

    [Fact]
    public void Ignores_discover_without_option_93()
    {
        var reply = Send(Requests.Make(DhcpMessageType.Discover, null, (DhcpOptionCode.VendorClass, "PXEClient"u8.ToArray())));
        Assert.Equal(DhcpIgnoreReason.NoArchitecture, reply.Exchange.Reason);
    }

    [Theory]
    [InlineData(6, "UEFI IA32")]
    [InlineData(11, "UEFI ARM64")]
    [InlineData(4242, "architecture 4242")]
    public void An_architecture_without_file_is_ignored_with_a_sentence(int architecture, string name)
    {
        var reply = Send(Requests.Make(DhcpMessageType.Discover, null, Pxe, (DhcpOptionCode.ClientArchitecture, [(byte)(architecture >> 8), (byte)architecture])));
        Assert.Null(reply.Packet);
        Assert.Equal(DhcpIgnoreReason.NoBootFile, reply.Exchange.Reason);
        Assert.Equal($"no boot file for {name}", reply.Exchange.Detail);
        Assert.Equal((ClientArchitecture)architecture, reply.Exchange.Client!.Architecture);
    }

    [Theory]
    [InlineData(DhcpMessageType.Inform, 67, DhcpIgnoreReason.NotOurService)]
    [InlineData(DhcpMessageType.Release, 67, DhcpIgnoreReason.NotOurService)]
    [InlineData(DhcpMessageType.Offer, 67, DhcpIgnoreReason.ServerMessage)]
    [InlineData(DhcpMessageType.Discover, 4011, DhcpIgnoreReason.NotOurService)]
    public void Ignores_what_is_not_its_service(DhcpMessageType type, int port, DhcpIgnoreReason expected) =>
        Assert.Equal(expected, Send(Requests.Make(type, null, Pxe), Requests.Broadcast with { Port = port }).Exchange.Reason);

    [Fact]
    public void A_url_too_long_for_the_file_field_goes_into_option_67_alone()
    {
        var url = "http://10.77.0.1/" + new string('x', 200);
        var proxy = new ProxyDhcpResponder(new BootPolicy(_ => new BootFile(url)));
        var offer = proxy.Respond(Requests.Read("ovmf-http-discover"), Requests.Broadcast).OnTheWire();
        Assert.Equal(url, offer.Options.Text(DhcpOptionCode.BootFileName));
        Assert.Equal("", offer.File);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a-tftp-path-longer-than-the-file-field/1234567890/1234567890/1234567890/1234567890/1234567890/1234567890/1234567890/1234567890/x.efi")]
    public void A_boot_file_that_cannot_be_sent_is_a_counted_reason(string name)
    {
        var proxy = new ProxyDhcpResponder(new BootPolicy(_ => new BootFile(name)));
        Assert.Equal(DhcpIgnoreReason.BootFileTooLong, proxy.Respond(Requests.Read("ovmf-pxe-discover"), Requests.Broadcast).Exchange.Reason);
    }

    [Fact]
    public void A_relayed_discover_is_answered_to_the_relay_with_its_option_82()
    {
        var relayed = Requests.Read("ovmf-pxe-discover") with { RelayAddress = IPAddress.Parse("10.5.0.1") };
        relayed.Options.Set(DhcpOptionCode.RelayAgentInformation, [1, 1, 7]);
        var reply = Send(relayed);
        Assert.Equal(new IPEndPoint(IPAddress.Parse("10.5.0.1"), 67), reply.Destination);
        Assert.Equal([1, 1, 7], reply.OnTheWire().Options.Find(DhcpOptionCode.RelayAgentInformation));
    }
}
