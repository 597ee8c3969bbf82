using System.Net;
using System.Net.Sockets;
using ImageForge.NetDoctor;
using ImageForge.Server.BootServices;
using ImageForge.Server.Listening;
using ImageForge.Server.Multicasting;

namespace ImageForge.Server.NetworkDoctoring;

/// <param name="Interfaces">Null or empty: the one that the boot services serve.</param>
/// <param name="Seconds">How long to listen; null: 10.</param>
/// <param name="Target">IPv4 address to measure the path to; null: the interface's gateway.</param>
internal sealed record DoctorRequest(IReadOnlyList<string>? Interfaces = null, double? Seconds = null, string? Target = null);

/// <summary>From a request to an order, with what this server knows of itself: which ports are its own, and which of them should answer.</summary>
internal sealed class DoctorOrders(BootServicesService services, BootServicesOptions options, MulticastSettingsDesk multicast, ServerAddresses addresses)
{
    private const int MostInterfaces = 16;

    /// <summary>An order, or why there is none.</summary>
    public async Task<(DoctorOrder? Order, SettingsFault? Fault)> MakeAsync(DoctorRequest request, CancellationToken cancellationToken)
    {
        var sessions = await multicast.GetAsync(cancellationToken);
        var interfaces = request.Interfaces is { Count: > 0 } given ? given : services.Settings.Interface is { } served ? [served] : [];
        if (interfaces.Count == 0)
            return (null, new("noInterface", "No network interface was named, and the boot services serve none.", "Name one: {\"interfaces\": [\"eth0\"]}; GET /api/v1/network-interfaces lists them."));
        if (interfaces.Count > MostInterfaces || interfaces.Any(static i => i is not { Length: > 0 and <= 15 }))
            return (null, new("badInterface", $"interfaces are up to {MostInterfaces} names of at most 15 characters.", "GET /api/v1/network-interfaces lists them."));
        var listen = request.Seconds is { } seconds ? TimeSpan.FromSeconds(Math.Clamp(seconds, 0, 1e6)) : DoctorOrder.DefaultListen;
        if (!(listen >= DoctorOrder.ShortestListen && listen <= DoctorOrder.LongestListen))
            return (null, new("badSeconds", $"seconds is {DoctorOrder.ShortestListen.TotalSeconds} to {DoctorOrder.LongestListen.TotalSeconds}.", "Leave it out for 10."));
        IPAddress? target = null;
        if (request.Target is { } text && (!IPAddress.TryParse(text, out target) || target.AddressFamily != AddressFamily.InterNetwork))
            return (null, new("badTarget", "target is not an IPv4 address.", "Write it as 10.20.0.1, or leave it out for the gateway."));
        return (new DoctorOrder(interfaces, listen)
        {
            PathTarget = target,
            ServerProcess = Environment.ProcessId,
            ServedInterface = services.Settings.Interface,
            Multicast = new MulticastPlan(sessions.FirstPort, sessions.LastPort, sessions.Ttl, sessions.Family == MulticastFamily.Ipv6),
            Ports =
            [
                new("udp", options.DhcpPort, "DHCP", services.ProxyDhcp.Wanted || services.Dhcp.Wanted),
                new("udp", options.TftpPort, "TFTP", services.Tftp.Wanted),
                new("udp", options.ProxyPort, "PXE boot server", services.ProxyDhcp.Wanted),
                new("tcp", addresses.HttpPort, "HTTP", true),
                new("tcp", addresses.HttpsPort, "HTTPS", true),
            ],
        }, null);
    }
}
