using System.Net;
using ImageForge.Contracts;
using ImageForge.Server.Boot;
using ImageForge.Server.Configuration;

namespace ImageForge.Server.Tests.Boot;

public sealed class AddressProofTests
{
    private static readonly MacAddress Ours = MacAddress.Parse("52:54:00:00:00:01");
    private static readonly MacAddress Other = MacAddress.Parse("52:54:00:00:00:02");
    private static readonly IPAddress Source = IPAddress.Parse("10.1.2.3");

    private readonly SteppedClock _clock = new();
    private readonly FixedNeighbours _neighbours = new();
    private readonly BootOptions _options = new();
    private readonly DhcpAddressBook _book;

    public AddressProofTests() => _book = new DhcpAddressBook(_options, _clock);

    private AddressTie Find(IPAddress? source = null) => new AddressProof(_neighbours, _book, _options).Find(Ours, source ?? Source);

    [Fact]
    public void Nothing_ties_an_address_nobody_knows() => Assert.Equal(AddressTie.None, Find());

    [Fact]
    public void The_neighbour_table_ties()
    {
        _neighbours.Entries[Source] = Ours;
        Assert.Equal(AddressTie.Neighbour, Find());
        Assert.Equal(AddressTie.Neighbour, Find(Source.MapToIPv6()));
    }

    [Fact]
    public void A_dhcp_exchange_ties_for_an_hour()
    {
        _book.Record(Ours, Source);
        Assert.Equal(AddressTie.Dhcp, Find());
        _clock.Advance(59 * 60);
        Assert.Equal(AddressTie.Dhcp, Find());
        _clock.Advance(2 * 60);
        Assert.Equal(AddressTie.None, Find());
    }

    [Fact]
    public void The_neighbour_table_overrules_a_dhcp_exchange()
    {
        _book.Record(Ours, Source);
        _neighbours.Entries[Source] = Other;
        Assert.Equal(AddressTie.None, Find());
    }

    [Fact]
    public void An_address_that_was_given_back_ties_no_more()
    {
        _book.Record(Ours, Source);
        _book.Forget(Source);
        Assert.Equal(AddressTie.None, Find());
    }

    [Fact]
    public void A_trusted_subnet_ties_and_its_neighbour_does_not()
    {
        _options.TrustedSubnets = ["10.1.0.0/16"];
        Assert.Equal(AddressTie.TrustedSubnet, Find());
        Assert.Equal(AddressTie.None, Find(IPAddress.Parse("10.2.0.1")));
    }

    [Fact]
    public void The_neighbour_table_overrules_a_trusted_subnet()
    {
        _options.TrustedSubnets = ["10.1.0.0/16"];
        _neighbours.Entries[Source] = Other;
        Assert.Equal(AddressTie.None, Find());
    }

    [Fact]
    public void A_subnet_that_is_none_stops_the_start_with_a_sentence()
    {
        _options.TrustedSubnets = ["10.1.0.0/33"];
        Assert.Contains("10.1.0.0/33", Assert.Throws<StartUpException>(() => Find()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_flood_of_dhcp_exchanges_does_not_grow_the_book_without_bound()
    {
        for (var i = 0; i < 30_000; i++)
            _book.Record(Other, new IPAddress(0x0000000bL | ((long)i << 8)));
        _book.Record(Ours, Source);
        Assert.Equal(AddressTie.Dhcp, Find());
    }
}

/// <summary>A kernel that knows just these.</summary>
internal sealed class FixedNeighbours : INeighbourTable
{
    public Dictionary<IPAddress, MacAddress> Entries { get; } = [];

    public MacAddress? Find(IPAddress address) => Entries.TryGetValue(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address, out var mac) ? mac : null;
}
