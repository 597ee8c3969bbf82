using System.Net;
using ImageForge.NetBoot.Dhcp;
using ImageForge.NetBoot.ProxyDhcp;
using ImageForge.NetBoot.Pxe;
using ImageForge.Server.Boot;
using ImageForge.Server.Listening;

namespace ImageForge.Server.BootServices;

/// <summary>Opens each boot service with the settings of the moment.</summary>
internal sealed class BootServiceRuns(
    BootServicesOptions options, BootScripts scripts, BootFiles files, LeaseStore leases, BootTraffic traffic, ServerAddresses server, TimeProvider time)
{
    private readonly ChainloadOnce _once = new(time);

    public BootServiceRun OpenProxyDhcp(BootServiceSettings settings)
    {
        var on = Interface(settings);
        return DhcpRun.Open(on, [options.DhcpPort, options.ProxyPort], new ProxyDhcpResponder(Choice(settings, on), options.ProxyPort),
            e => traffic.Record(e, on, leasesAreOurs: false));
    }

    public BootServiceRun OpenDhcp(BootServiceSettings settings)
    {
        var on = Interface(settings);
        if (BootServiceSettingsRules.Pool(settings, on) is { } wrong)
            throw new BootServiceRefusal(wrong.Sentence, wrong.Cure);
        var dhcp = new DhcpServerOptions(IPAddress.Parse(settings.PoolFirst!), IPAddress.Parse(settings.PoolLast!), on.Mask)
        {
            Gateway = string.IsNullOrEmpty(settings.Gateway) ? null : IPAddress.Parse(settings.Gateway),
            Dns = [.. (settings.Dns ?? []).Select(IPAddress.Parse)],
            LeaseTime = TimeSpan.FromSeconds(settings.LeaseSeconds),
        };
        return DhcpRun.Open(on, [options.DhcpPort], new DhcpServer(dhcp, leases, Choice(settings, on), time),
            e => traffic.Record(e, on, leasesAreOurs: true));
    }

    public BootServiceRun OpenTftp(BootServiceSettings settings) =>
        TftpRun.Open(Interface(settings), options.TftpPort, server.HttpPort, scripts, files, time, traffic.Record);

    private BootFileChoice Choice(BootServiceSettings settings, BootInterface on)
    {
        var places = new BootFilePlaces(on.Address, server.HttpPort, settings.Tftp ? options.TftpPort : null);
        var limit = settings.ChainloadIpxeOlderThan.Length == 0
            ? BootFileManifest.ReadIpxeVersion(files.Folder)
            : IpxeVersion.TryParse(settings.ChainloadIpxeOlderThan, out var set) ? set : null;
        return new BootFileChoice(places, files, limit, _once);
    }

    private static BootInterface Interface(BootServiceSettings settings) => BootInterface.Find(settings.Interface
        ?? throw new BootServiceRefusal("No network interface is chosen.", "Choose one with --interface or on the settings page."));
}
