using System.Buffers.Binary;
using System.Net;
using ImageForge.Contracts;
using ImageForge.NetBoot.Dhcp;
using ImageForge.NetBoot.ProxyDhcp;
using ImageForge.NetBoot.Tests.Lab;

namespace ImageForge.NetBoot.Tests.Dhcp;

public sealed class DhcpServerTests
{
    private static readonly DhcpServerOptions Options = new(IPAddress.Parse("10.77.0.10"), IPAddress.Parse("10.77.0.12"), IPAddress.Parse("255.255.255.0"))
    {
        Gateway = IPAddress.Parse("10.77.0.254"),
        Dns = [IPAddress.Parse("10.77.0.2"), IPAddress.Parse("10.77.0.3")],
        LeaseTime = TimeSpan.FromSeconds(800),
    };

    private readonly HandClock _clock = new();
    private readonly DhcpServer _server;

    public DhcpServerTests() =>
        _server = new DhcpServer(Options, new MemoryLeaseStore(), new BootPolicy(c => c.IsHttp ? new BootFile("http://10.77.0.1/snponly.efi") : new BootFile("snponly.efi")), _clock);

    private DhcpReply Send(DhcpPacket packet, DhcpArrival? arrival = null) => _server.Respond(packet, arrival ?? Requests.Broadcast);

    private IPAddress Bind(MacAddress? mac = null)
    {
        var address = Send(Requests.Make(DhcpMessageType.Discover, mac)).Packet!.YourAddress;
        var ack = Send(Requests.Make(DhcpMessageType.Request, mac, (DhcpOptionCode.ServerIdentifier, Requests.Bytes("10.77.0.1")), (DhcpOptionCode.RequestedAddress, address.GetAddressBytes())));
        Assert.Equal(DhcpMessageType.Ack, ack.Packet!.Type);
        return address;
    }

    private static uint Seconds(DhcpPacket packet, DhcpOptionCode code) => BinaryPrimitives.ReadUInt32BigEndian(packet.Options.Find(code));

    [Fact]
    public void Discover_gets_an_offer_with_everything_a_client_needs()
    {
        var reply = Send(Requests.Make(DhcpMessageType.Discover));
        var offer = reply.OnTheWire();

        Assert.Equal(DhcpExchangeKind.Offered, reply.Exchange.Kind);
        Assert.Equal(new IPEndPoint(IPAddress.Broadcast, 68), reply.Destination);
        Assert.Equal(DhcpMessageType.Offer, offer.Type);
        Assert.Equal(2, offer.Operation);
        Assert.Equal(0x01020304u, offer.TransactionId);
        Assert.InRange(offer.YourAddress.GetAddressBytes()[3], 10, 12);
        Assert.Equal(Requests.Server, offer.Options.Address(DhcpOptionCode.ServerIdentifier));
        Assert.Equal(IPAddress.Parse("255.255.255.0"), offer.Options.Address(DhcpOptionCode.SubnetMask));
        Assert.Equal(IPAddress.Parse("10.77.0.254"), offer.Options.Address(DhcpOptionCode.Router));
        Assert.Equal([10, 77, 0, 2, 10, 77, 0, 3], offer.Options.Find(DhcpOptionCode.DomainNameServer));
        Assert.Equal(800u, Seconds(offer, DhcpOptionCode.LeaseTime));
        Assert.Equal(400u, Seconds(offer, DhcpOptionCode.RenewalTime));
        Assert.Equal(700u, Seconds(offer, DhcpOptionCode.RebindingTime));
        Assert.Equal("", offer.File);
    }

    [Fact]
    public void Network_broadcast_server_gateway_and_name_servers_are_never_handed_out()
    {
        var options = new DhcpServerOptions(IPAddress.Parse("10.77.0.0"), IPAddress.Parse("10.77.0.7"), IPAddress.Parse("255.255.255.248"))
        {
            Gateway = IPAddress.Parse("10.77.0.6"),
            Dns = [IPAddress.Parse("10.77.0.2"), IPAddress.Parse("10.77.0.3")],
        };
        var server = new DhcpServer(options, new MemoryLeaseStore(), new BootPolicy(_ => new BootFile("snponly.efi")), _clock);
        var given = Enumerable.Range(1, 8)
            .Select(n => server.Respond(Requests.Make(DhcpMessageType.Discover, new MacAddress([0x52, 0x54, 0, 0, 9, (byte)n])), Requests.Broadcast).Packet?.YourAddress.ToString())
            .OfType<string>().Order();

        Assert.Equal(["10.77.0.4", "10.77.0.5"], given);
    }

    [Fact]
    public void Firmware_gets_its_boot_file_with_the_address()
    {
        var offer = Send(Requests.Read("ovmf-pxe-discover")).OnTheWire();

        Assert.Equal("snponly.efi", offer.File);
        Assert.Equal("snponly.efi", offer.Options.Text(DhcpOptionCode.BootFileName));
        Assert.Equal(Requests.Server, offer.NextServer);
        Assert.Equal(Requests.Read("ovmf-pxe-discover").Options.Find(DhcpOptionCode.ClientMachineIdentifier), offer.Options.Find(DhcpOptionCode.ClientMachineIdentifier));
    }

    [Fact]
    public void Uefi_http_boot_gets_a_url_and_the_word_HTTPClient()
    {
        var offer = Send(Requests.Read("ovmf-http-discover")).OnTheWire();

        Assert.Equal("HTTPClient", offer.Options.Text(DhcpOptionCode.VendorClass));
        Assert.Equal("http://10.77.0.1/snponly.efi", offer.Options.Text(DhcpOptionCode.BootFileName));
    }

    [Fact]
    public void A_client_without_boot_file_still_gets_its_address_and_the_exchange_says_why()
    {
        var server = new DhcpServer(Options, new MemoryLeaseStore(), new BootPolicy(_ => new NoBootFile("nothing for BIOS")), _clock);
        var reply = server.Respond(Requests.Read("ipxe-1.0.0-discover"), Requests.Broadcast);

        Assert.Equal(DhcpExchangeKind.Offered, reply.Exchange.Kind);
        Assert.Equal("nothing for BIOS", reply.Exchange.Detail);
        Assert.Equal("", reply.OnTheWire().File);
    }

    [Fact]
    public void Renewing_is_answered_to_the_clients_address()
    {
        var address = Bind();
        var renew = Requests.Make(DhcpMessageType.Request) with { ClientAddress = address };
        _clock.Advance(TimeSpan.FromSeconds(500));

        var reply = Send(renew);

        Assert.Equal(DhcpMessageType.Ack, reply.Packet!.Type);
        Assert.Equal(new IPEndPoint(address, 68), reply.Destination);
        Assert.Equal(address, reply.Packet.YourAddress);
        // Not run out 500 s later: the lease began anew.
        _clock.Advance(TimeSpan.FromSeconds(500));
        Assert.Equal(DhcpMessageType.Nak, Send(Requests.Make(DhcpMessageType.Request, MacAddress.Parse("52:54:00:00:00:99"), (DhcpOptionCode.RequestedAddress, address.GetAddressBytes()))).Packet!.Type);
    }

    [Fact]
    public void Init_reboot_with_the_right_address_is_acknowledged()
    {
        var address = Bind();
        var reply = Send(Requests.Make(DhcpMessageType.Request, null, (DhcpOptionCode.RequestedAddress, address.GetAddressBytes())));
        Assert.Equal(DhcpMessageType.Ack, reply.Packet!.Type);
    }

    [Fact]
    public void Init_reboot_from_another_network_is_refused_by_broadcast()
    {
        var reply = Send(Requests.Make(DhcpMessageType.Request, null, (DhcpOptionCode.RequestedAddress, Requests.Bytes("192.168.5.5"))));

        Assert.Equal(DhcpExchangeKind.Refused, reply.Exchange.Kind);
        Assert.Equal(DhcpMessageType.Nak, reply.OnTheWire().Type);
        Assert.Equal(IPAddress.Any, reply.OnTheWire().YourAddress);
        Assert.Equal(IPAddress.Broadcast, reply.Destination!.Address);
    }

    [Fact]
    public void Init_reboot_with_an_address_of_our_subnet_outside_our_pool_stays_unanswered()
    {
        var reply = Send(Requests.Make(DhcpMessageType.Request, null, (DhcpOptionCode.RequestedAddress, Requests.Bytes("10.77.0.200"))));
        Assert.Null(reply.Packet);
        Assert.Equal(DhcpIgnoreReason.UnknownLease, reply.Exchange.Reason);
    }

    [Fact]
    public void Selecting_an_address_that_someone_else_has_is_refused()
    {
        var address = Bind();
        var reply = Send(Requests.Make(DhcpMessageType.Request, MacAddress.Parse("52:54:00:00:00:99"),
            (DhcpOptionCode.ServerIdentifier, Requests.Bytes("10.77.0.1")), (DhcpOptionCode.RequestedAddress, address.GetAddressBytes())));
        Assert.Equal(DhcpMessageType.Nak, reply.Packet!.Type);
    }

    [Fact]
    public void Choosing_another_server_frees_our_offer()
    {
        for (var n = 1; n <= 3; n++)
            Send(Requests.Make(DhcpMessageType.Discover, new MacAddress([0x52, 0x54, 0, 0, 0, (byte)n])));
        var newcomer = Requests.Make(DhcpMessageType.Discover, MacAddress.Parse("52:54:00:00:00:99"));
        Assert.Equal(DhcpIgnoreReason.PoolExhausted, Send(newcomer).Exchange.Reason);

        var reply = Send(Requests.Make(DhcpMessageType.Request, new MacAddress([0x52, 0x54, 0, 0, 0, 1]),
            (DhcpOptionCode.ServerIdentifier, Requests.Bytes("10.77.0.9")), (DhcpOptionCode.RequestedAddress, Requests.Bytes("10.77.0.55"))));

        Assert.Equal(DhcpExchangeKind.Observed, reply.Exchange.Kind);
        Assert.Null(reply.Packet);
        Assert.Equal(DhcpExchangeKind.Offered, Send(newcomer).Exchange.Kind);
    }

    [Fact]
    public void A_full_pool_is_a_counted_reason_with_a_sentence()
    {
        for (var n = 1; n <= 3; n++)
            Bind(new MacAddress([0x52, 0x54, 0, 0, 0, (byte)n]));
        var reply = Send(Requests.Make(DhcpMessageType.Discover, MacAddress.Parse("52:54:00:00:00:99")));

        Assert.Equal(DhcpIgnoreReason.PoolExhausted, reply.Exchange.Reason);
        Assert.Contains("10.77.0.10", reply.Exchange.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Decline_quarantines_and_release_frees()
    {
        var address = Bind();
        Assert.Equal(DhcpExchangeKind.Declined, Send(Requests.Make(DhcpMessageType.Decline, null, (DhcpOptionCode.RequestedAddress, address.GetAddressBytes()))).Exchange.Kind);
        var second = Bind();
        Assert.NotEqual(address, second);

        Assert.Equal(DhcpExchangeKind.Released, Send(Requests.Make(DhcpMessageType.Release) with { ClientAddress = second }).Exchange.Kind);
        Assert.Equal(second, Bind());
        Assert.Equal(DhcpIgnoreReason.UnknownLease, Send(Requests.Make(DhcpMessageType.Release, MacAddress.Parse("52:54:00:00:00:99")) with { ClientAddress = second }).Exchange.Reason);
    }

    [Fact]
    public void Inform_is_acknowledged_without_address_or_lease_time()
    {
        var inform = Requests.Make(DhcpMessageType.Inform) with { ClientAddress = IPAddress.Parse("10.77.0.77") };
        var ack = Send(inform).OnTheWire();

        Assert.Equal(DhcpMessageType.Ack, ack.Type);
        Assert.Equal(IPAddress.Any, ack.YourAddress);
        Assert.False(ack.Options.Has(DhcpOptionCode.LeaseTime));
        Assert.True(ack.Options.Has(DhcpOptionCode.Router));
    }

    [Fact]
    public void A_relay_gets_the_answer_with_its_option_82_and_a_foreign_relay_gets_none()
    {
        var relayed = Requests.Make(DhcpMessageType.Discover, null, (DhcpOptionCode.RelayAgentInformation, [1, 2, 9, 9])) with { RelayAddress = IPAddress.Parse("10.77.0.3"), Hops = 1 };
        var reply = Send(relayed);

        Assert.Equal(new IPEndPoint(IPAddress.Parse("10.77.0.3"), 67), reply.Destination);
        Assert.Equal([1, 2, 9, 9], reply.OnTheWire().Options.Find(DhcpOptionCode.RelayAgentInformation));
        Assert.Equal(IPAddress.Parse("10.77.0.3"), reply.Packet!.RelayAddress);
        Assert.Equal(DhcpIgnoreReason.ForeignSubnet, Send(relayed with { RelayAddress = IPAddress.Parse("10.9.0.3") }).Exchange.Reason);
    }

    [Fact]
    public void A_reply_or_a_servers_message_is_ignored()
    {
        Assert.Equal(DhcpIgnoreReason.NotARequest, Send(Requests.Make(DhcpMessageType.Discover) with { Operation = 2 }).Exchange.Reason);
        Assert.Equal(DhcpIgnoreReason.ServerMessage, Send(Requests.Make(DhcpMessageType.Offer)).Exchange.Reason);
    }
}
