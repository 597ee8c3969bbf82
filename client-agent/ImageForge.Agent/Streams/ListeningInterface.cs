using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using ImageForge.Contracts;

namespace ImageForge.Agent.Streams;

/// <summary>The network card that a stream is heard on: the one this machine started from.</summary>
/// <param name="Index">The kernel's number of it.</param>
/// <param name="Address">With which this machine speaks to the server, or another of the card.</param>
/// <param name="PrefixLength">Of the address's network; 0: unknown.</param>
/// <param name="IsBootCard">False: the card was chosen because the server is reached through it.</param>
internal sealed record ListeningInterface(string Name, int Index, IPAddress? Address, int PrefixLength, bool IsBootCard)
{
    /// <param name="bootMac">Of the card the firmware booted from, if known.</param>
    /// <returns>Null: no card can be named; then the kernel's routes decide.</returns>
    public static ListeningInterface? Find(IPEndPoint server, MacAddress? bootMac)
    {
        try
        {
            var own = AddressTowards(server);
            ListeningInterface? towards = null;
            foreach (var network in NetworkInterface.GetAllNetworkInterfaces())
            {
                var addresses = network.GetIPProperties().UnicastAddresses;
                var isBoot = bootMac is not null && MacAddress.TryParse(network.GetPhysicalAddress().ToString(), out var mac) && mac == bootMac;
                var address = addresses.FirstOrDefault(a => a.Address.Equals(own)) ?? (isBoot ? addresses.FirstOrDefault(a => a.Address.AddressFamily == server.AddressFamily) : null);
                if (address is null)
                    continue;
                var found = new ListeningInterface(network.Name, IndexOf(network), address.Address, address.PrefixLength, isBoot);
                if (isBoot)
                    return found;
                towards ??= found;
            }
            return towards;
        }
        catch (Exception e) when (e is NetworkInformationException or SocketException or IOException or PlatformNotSupportedException)
        {
            return null;
        }
    }

    /// <summary>Whether the server is reached without a router; null: unknown.</summary>
    public bool? IsNear(IPAddress server)
    {
        if (Address is null || PrefixLength <= 0 || Address.AddressFamily != server.AddressFamily)
            return null;
        byte[] own = Address.GetAddressBytes(), other = server.GetAddressBytes();
        for (var bit = 0; bit < PrefixLength && bit < own.Length * 8; bit++)
            if (((own[bit >> 3] ^ other[bit >> 3]) & (0x80 >> (bit & 7))) != 0)
                return false;
        return true;
    }

    private static IPAddress? AddressTowards(IPEndPoint server)
    {
        // Connecting a datagram socket asks the routing table and sends nothing.
        using var socket = new Socket(server.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        socket.Connect(server);
        return (socket.LocalEndPoint as IPEndPoint)?.Address;
    }

    private static int IndexOf(NetworkInterface network)
    {
        var properties = network.GetIPProperties();
        return network.Supports(NetworkInterfaceComponent.IPv4) ? properties.GetIPv4Properties().Index
            : network.Supports(NetworkInterfaceComponent.IPv6) ? properties.GetIPv6Properties().Index : 0;
    }
}
