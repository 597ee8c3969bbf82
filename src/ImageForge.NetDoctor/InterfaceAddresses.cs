using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace ImageForge.NetDoctor;

/// <param name="V4">The first IPv4 address; null: none.</param>
/// <param name="HasV6">At least the link's own IPv6 address.</param>
internal sealed record InterfaceAddresses(IPAddress? V4, bool HasV6)
{
    public static InterfaceAddresses Of(NetworkInterface? one)
    {
        var addresses = one?.GetIPProperties().UnicastAddresses.Select(static a => a.Address).ToList() ?? [];
        return new(addresses.Find(static a => a.AddressFamily == AddressFamily.InterNetwork), addresses.Exists(static a => a.AddressFamily == AddressFamily.InterNetworkV6));
    }
}
