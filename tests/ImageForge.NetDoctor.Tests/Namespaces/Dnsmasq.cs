using System.Diagnostics;
using ImageForge.Lab.Networks;

namespace ImageForge.NetDoctor.Tests.Namespaces;

/// <summary>A real DHCP, proxyDHCP or TFTP server in a namespace of the lab; ended with the lab's namespaces at the latest.</summary>
internal sealed class Dnsmasq : IAsyncDisposable
{
    private readonly Process _process;

    private Dnsmasq(Process process) => _process = process;

    /// <summary>Returns once it says that it serves.</summary>
    public static async Task<Dnsmasq> StartAsync(LabNetwork network, string ns, params string[] arguments)
    {
        var leases = Path.Combine(network.Folder, $"{ns}.leases");
        var process = LabNetwork.StartIn(ns, "dnsmasq",
            ["--no-daemon", "--conf-file=/dev/null", "--port=0", "--interface=eth0", "--bind-interfaces", "--user=root", "--no-ping", $"--dhcp-leasefile={leases}", .. arguments]);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (await process.StandardError.ReadLineAsync(patience.Token) is { } line)
        {
            if (line.Contains("DHCP, IP range", StringComparison.Ordinal) || line.Contains("DHCP, proxy", StringComparison.Ordinal) || line.Contains("TFTP root", StringComparison.Ordinal) || line.Contains("TFTP enabled", StringComparison.Ordinal))
            {
                // It goes on writing; a full pipe must not stop it.
                _ = process.StandardError.ReadToEndAsync(CancellationToken.None);
                return new Dnsmasq(process);
            }
        }
        throw new InvalidOperationException($"dnsmasq {string.Join(' ', arguments)} ended");
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
