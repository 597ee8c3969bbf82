using System.Net;
using ImageForge.Contracts;

namespace ImageForge.Server.Boot;

/// <summary>What ties the source address of a question to the MAC it names.</summary>
internal enum AddressTie
{
    /// <summary>Nothing does: no token.</summary>
    None,

    /// <summary>The kernel resolved the address to this MAC.</summary>
    Neighbour,

    /// <summary>Our responders saw this MAC take the address.</summary>
    Dhcp,

    /// <summary>An administrator vouches for the network the address is in.</summary>
    TrustedSubnet,
}

/// <summary>Decides whether a machine that names a MAC may get a token for it.</summary>
internal sealed class AddressProof
{
    private readonly INeighbourTable _neighbours;
    private readonly DhcpAddressBook _addresses;
    private readonly IPNetwork[] _trusted;

    public AddressProof(INeighbourTable neighbours, DhcpAddressBook addresses, BootOptions options)
    {
        _neighbours = neighbours;
        _addresses = addresses;
        _trusted = [.. options.TrustedSubnets.Select(Parse)];
    }

    public AddressTie Find(MacAddress mac, IPAddress source)
    {
        if (source.IsIPv4MappedToIPv6)
            source = source.MapToIPv4();
        // The kernel knows best: when it says another MAC, neither an older DHCP exchange nor the administrator's rule overrules it.
        if (_neighbours.Find(source) is { } neighbour)
            return neighbour == mac ? AddressTie.Neighbour : AddressTie.None;
        if (_addresses.Find(source) == mac)
            return AddressTie.Dhcp;
        return _trusted.Any(n => n.Contains(source)) ? AddressTie.TrustedSubnet : AddressTie.None;
    }

    private static IPNetwork Parse(string text) => IPNetwork.TryParse(text, out var network)
        ? network
        : throw new Configuration.StartUpException($"ImageForge:Boot:TrustedSubnets holds \"{text}\", which is no network. Write it as 10.20.0.0/16.");
}
