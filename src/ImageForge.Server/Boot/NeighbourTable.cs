using System.Globalization;
using System.Net;
using ImageForge.Contracts;

namespace ImageForge.Server.Boot;

/// <summary>Which MAC the kernel resolved an address to. A seam because a test cannot put entries into the kernel's table.</summary>
internal interface INeighbourTable
{
    /// <summary>Null: no entry, an incomplete one, or the address is behind a router.</summary>
    MacAddress? Find(IPAddress address);
}

/// <summary>
/// The kernel's ARP table for IPv4, <c>/proc/net/arp</c>: columns address, hardware type, flags, MAC, mask, device; flag 2 is a complete
/// entry (net/ipv4/arp.c). A machine that just opened a TCP connection to us is in it. IPv6 has no such file:
/// see <see cref="NetlinkNeighbours"/>.
/// </summary>
internal sealed class NeighbourTable(string path = "/proc/net/arp") : INeighbourTable
{
    public MacAddress? Find(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        if (address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6)
            return NetlinkNeighbours.Find(address);
        string[] lines;
        try
        {
            lines = File.ReadAllLines(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
        var wanted = address.ToString();
        foreach (var line in lines.Skip(1))
        {
            var columns = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (columns.Length >= 6 && columns[0] == wanted && IsComplete(columns[2]) && MacAddress.TryParse(columns[3], out var mac) && mac.IsUsable)
                return mac;
        }
        return null;
    }

    private static bool IsComplete(string flags) =>
        flags.StartsWith("0x", StringComparison.Ordinal)
        && int.TryParse(flags.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var value) && (value & 2) != 0;
}
