using System.Net;
using System.Net.Sockets;
using ImageForge.Server.Listening;

namespace ImageForge.Server.Boot;

/// <summary>Our own addresses as one machine reaches us: taken from its connection, never from a header it sent.</summary>
internal sealed record BootAddresses(string HttpBase, string HttpsBase)
{
    public static BootAddresses Of(IPAddress local, int httpPort, int httpsPort)
    {
        if (local.IsIPv4MappedToIPv6)
            local = local.MapToIPv4();
        var host = local.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{new IPAddress(local.GetAddressBytes())}]" : local.ToString();
        return new BootAddresses($"http://{host}:{httpPort}", $"https://{host}:{httpsPort}");
    }

    public static BootAddresses Of(HttpContext context, ServerAddresses server) =>
        Of(context.Connection.LocalIpAddress ?? IPAddress.Loopback, server.HttpPort, server.HttpsPort);
}
