using System.Net;
using ImageForge.Contracts;
using ImageForge.NetBoot.Dhcp;

namespace ImageForge.NetDoctor.DhcpServers;

/// <summary>From a parsed packet to what it says; everything in it came from the network.</summary>
internal static class DhcpAnswerReader
{
    private const int LongestText = 255;

    /// <param name="ours">The server's own addresses.</param>
    public static DhcpAnswer Read(DhcpPacket packet, AskedAs asked, string on, IPAddress from, MacAddress? fromMac, IReadOnlySet<IPAddress> ours)
    {
        var options = packet.Options;
        var server = options.Address(DhcpOptionCode.ServerIdentifier) ?? from;
        var vendorClass = Text(options.Text(DhcpOptionCode.VendorClass));
        var offered = Address(packet.YourAddress);
        var kind = asked == AskedAs.BootServer ? AnswerKind.BootServer
            : offered is null && vendorClass?.StartsWith("PXEClient", StringComparison.Ordinal) == true ? AnswerKind.ProxyDhcp
            : AnswerKind.Dhcp;
        return new DhcpAnswer(
            on, asked, kind, server.ToString(), from.ToString(), fromMac?.ToString(), ours.Contains(server) || ours.Contains(from),
            offered, Address(options.Address(DhcpOptionCode.SubnetMask)), Address(First(options.Find(DhcpOptionCode.Router))), Address(packet.NextServer),
            Text(packet.File) ?? Text(options.Text(DhcpOptionCode.BootFileName)), Text(options.Text(DhcpOptionCode.TftpServerName)) ?? Text(packet.ServerName), vendorClass,
            options.Find(DhcpOptionCode.VendorSpecific) is { Length: > 0 } bytes ? Convert.ToHexStringLower(bytes) : null);
    }

    private static IPAddress? First(byte[]? addresses) => addresses is { Length: >= 4 } ? new IPAddress(addresses.AsSpan(0, 4)) : null;

    private static string? Address(IPAddress? address) => address is null || address.Equals(IPAddress.Any) ? null : address.ToString();

    /// <summary>This reaches terminals and pages.</summary>
    private static string? Text(string? text)
    {
        if (string.IsNullOrEmpty(text))
            return null;
        var clean = string.Concat(text.Take(LongestText).Select(static c => c is >= ' ' and <= '~' ? c : '.'));
        return clean.Trim().Length == 0 ? null : clean;
    }
}
