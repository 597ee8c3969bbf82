using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using ImageForge.Server.Access;
using ImageForge.Server.Listening;

namespace ImageForge.Server.Configuration;

/// <summary>The lines for the person at the console; <c>./forge up</c> reads them too.</summary>
internal static class Announcement
{
    public static async Task PrintAsync(IServiceProvider services, TextWriter console, CancellationToken cancellationToken)
    {
        var options = services.GetRequiredService<ServerOptions>();
        var bootInterface = services.GetRequiredService<IConfiguration>()[$"{ServerOptions.Section}:BootServices:Interface"];
        var site = $"https://{new HostString(Address(options, bootInterface), services.GetRequiredService<ServerAddresses>().HttpsPort)}";
        await console.WriteLineAsync($"ImageForge: {site}/");
        if (await services.GetRequiredService<SetUpCode>().IssueAsync(cancellationToken) is { } code)
            await console.WriteLineAsync($"Set-up: {site}/setup#{code}");
        await console.FlushAsync(cancellationToken);
    }

    private static string Address(ServerOptions options, string? bootInterface)
    {
        if (IPAddress.TryParse(options.ListenAddress, out var configured) && !configured.Equals(IPAddress.Any) && !configured.Equals(IPAddress.IPv6Any))
            return configured.ToString();
        var addresses =
            from nic in NetworkInterface.GetAllNetworkInterfaces()
            where nic.OperationalStatus is OperationalStatus.Up or OperationalStatus.Unknown && nic.NetworkInterfaceType != NetworkInterfaceType.Loopback
            from unicast in nic.GetIPProperties().UnicastAddresses
            where unicast.Address.AddressFamily == AddressFamily.InterNetwork
            // The interface that boots machines first, then the one with a way out.
            orderby nic.Name != bootInterface, nic.GetIPProperties().GatewayAddresses.Count == 0
            select unicast.Address.ToString();
        return addresses.FirstOrDefault() ?? "127.0.0.1";
    }
}
