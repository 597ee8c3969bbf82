using System.Net.NetworkInformation;
using ImageForge.Contracts;
using ImageForge.Server.Access;

namespace ImageForge.Server.BootServices;

/// <param name="Addresses">In CIDR form.</param>
/// <param name="Served">The boot services are set to this interface.</param>
/// <param name="OtherDhcpSeenAt">When a machine was last heard talking to another DHCP server here; known only where our services listen.</param>
internal sealed record NetworkInterfaceView(
    string Name, string? Mac, bool Up, bool Loopback, IReadOnlyList<string> Addresses, bool Served, DateTimeOffset? OtherDhcpSeenAt);

/// <summary><c>GET /api/v1/network-interfaces</c>: what the boot services could serve.</summary>
internal static class NetworkInterfaceEndpoints
{
    public static void MapNetworkInterfaces(this WebApplication app) =>
        app.MapGet("/api/v1/network-interfaces", List).RequireAuthorization(Scopes.Read).WithTags("Boot services")
            .WithSummary("The network interfaces of the server, with their addresses.");

    private static IReadOnlyList<NetworkInterfaceView> List(BootServicesService services, BootTraffic traffic) =>
        [.. NetworkInterface.GetAllNetworkInterfaces().Select(i => View(i, services.Settings.Interface == i.Name, traffic)).OrderBy(i => i.Name, StringComparer.Ordinal)];

    private static NetworkInterfaceView View(NetworkInterface network, bool served, BootTraffic traffic) => new(
        network.Name,
        network.GetPhysicalAddress().GetAddressBytes() is { Length: 6 } mac && new MacAddress(mac) is { IsUsable: true } usable ? usable.ToString() : null,
        network.OperationalStatus == OperationalStatus.Up,
        network.NetworkInterfaceType == NetworkInterfaceType.Loopback,
        [.. network.GetIPProperties().UnicastAddresses.Select(a => $"{a.Address}/{a.PrefixLength}")],
        served,
        served ? traffic.OtherDhcpSeenAt : null);
}
