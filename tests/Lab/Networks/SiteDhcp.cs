using System.Diagnostics;

namespace ImageForge.Lab.Networks;

/// <summary>The DHCP server that is already there at a site: dnsmasq in its own namespace, which knows nothing of us and offers no boot file.</summary>
public sealed class SiteDhcp : IAsyncDisposable
{
    private readonly Process _process;
    private readonly string _log;

    private SiteDhcp(Process process, string log) => (_process, _log) = (process, log);

    public static async Task<SiteDhcp> StartAsync(LabNetwork network)
    {
        var folder = Directory.CreateDirectory(Path.Combine(network.Folder, "dhcp")).FullName;
        var log = Path.Combine(folder, "dnsmasq.log");
        // The site's router announces IPv6: without an announcement the 2019 iPXE of QEMU's network ROM waits 14 s for one.
        await Command.RunAsync("ip", "-n", network.SiteDhcp, "addr", "add", "fd77::2/64", "dev", "eth0", "nodad");
        var process = LabNetwork.StartIn(network.SiteDhcp, "dnsmasq",
        [
            "--no-daemon", "--conf-file=/dev/null", "--port=0", "--interface=eth0", "--bind-interfaces", "--user=root", "--log-dhcp",
            $"--log-facility={log}", $"--dhcp-leasefile={Path.Combine(folder, "leases")}", "--dhcp-authoritative",
            "--dhcp-range=10.77.0.50,10.77.0.200,255.255.255.0,1h", "--dhcp-option=option:router,10.77.0.254",
            "--enable-ra", "--dhcp-range=fd77::,ra-only",
            // The lab's addresses are nobody else's: no ping before each offer, which costs three seconds.
            "--no-ping",
        ]);
        for (var i = 0; i < 50; i++)
        {
            if (process.HasExited)
                throw new LabException($"dnsmasq ended: {await process.StandardError.ReadToEndAsync()}");
            if (File.Exists(log) && (await File.ReadAllTextAsync(log)).Contains("DHCP, IP range", StringComparison.Ordinal))
                return new SiteDhcp(process, log);
            await Task.Delay(100);
        }
        process.Kill();
        throw new LabException($"dnsmasq did not start: {await File.ReadAllTextAsync(log)}");
    }

    public string Log => File.ReadAllText(_log);

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
