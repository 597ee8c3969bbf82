using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace ImageForge.Multicast.Sockets;

/// <summary>Whether the kernel holds a membership of a group: /proc/net/igmp and /proc/net/igmp6 (net/ipv4/igmp.c, net/ipv6/mcast.c).</summary>
internal static class Membership
{
    /// <param name="interfaceName">Null: on any.</param>
    public static bool IsHeld(IPAddress group, string? interfaceName)
    {
        var ipv6 = group.AddressFamily == AddressFamily.InterNetworkV6;
        try
        {
            var lines = File.ReadLines(ipv6 ? "/proc/net/igmp6" : "/proc/net/igmp");
            return ipv6 ? IsIn6(lines, group, interfaceName) : IsIn4(lines, group, interfaceName);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>A line per interface, "2 eth0 : 1 V3", then one per group: its bytes as a number of the machine, "010000E0".</summary>
    internal static bool IsIn4(IEnumerable<string> lines, IPAddress group, string? interfaceName)
    {
        var wanted = BitConverter.ToUInt32(group.GetAddressBytes()).ToString("X8", CultureInfo.InvariantCulture);
        var here = false;
        foreach (var line in lines)
        {
            var words = line.Split((char[])[' ', '\t', ':'], StringSplitOptions.RemoveEmptyEntries);
            if (words.Length > 1 && char.IsAsciiDigit(line[0]))
                here = interfaceName is null || words[1] == interfaceName;
            else if (here && words.Length > 0 && words[0].Equals(wanted, StringComparison.OrdinalIgnoreCase))
                return true;
        }
        return false;
    }

    /// <summary>A line per group: "2 eth0 ff150000000000000000000000000001 1 0000000C 0".</summary>
    internal static bool IsIn6(IEnumerable<string> lines, IPAddress group, string? interfaceName)
    {
        var wanted = Convert.ToHexString(group.GetAddressBytes());
        foreach (var line in lines)
        {
            var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words.Length > 2 && (interfaceName is null || words[1] == interfaceName) && words[2].Equals(wanted, StringComparison.OrdinalIgnoreCase))
                return true;
        }
        return false;
    }
}
