using System.Diagnostics;
using System.Text;
using ImageForge.Lab;
using ImageForge.Lab.Machines;
using ImageForge.Lab.Networks;

namespace ImageForge.EndToEnd.BootFaults;

/// <summary>
/// A network on which only the files of ipxe-scripts/ are ours: DHCP and TFTP are dnsmasq's, so that nothing of our server
/// hides or repairs what a script does when the server fails.
/// </summary>
internal sealed class ScriptSite : IAsyncDisposable
{
    /// <summary>The BIOS machine with this address is given iPXE of 2025 by its iPXE of 2019.</summary>
    public const string NewerBiosMac = "52:54:00:77:02:02";
    public const string BiosMac = "52:54:00:77:02:01";
    public const string UefiMac = "52:54:00:77:02:03";

    private readonly Process _dnsmasq;

    private ScriptSite(LabNetwork network, Process dnsmasq, string disk) => (Network, _dnsmasq, Disk) = (network, dnsmasq, disk);

    public LabNetwork Network { get; }

    public string Disk { get; }

    public static string Script(string name) =>
        File.ReadAllText(Path.Combine(Repository.Top, "ipxe-scripts", name)).Replace("192.0.2.1", LabNetwork.ServerAddress, StringComparison.Ordinal);

    public static async Task<ScriptSite> StartAsync()
    {
        var network = await LabNetwork.CreateAsync();
        try
        {
            // iPXE of 2019 waits 14 s for a router that announces an IPv6 prefix.
            await Command.RunAsync("ip", "-n", network.Server, "addr", "add", "fd77::1/64", "dev", "eth0", "nodad");
            var tftp = Directory.CreateDirectory(Path.Combine(network.Folder, "tftp")).FullName;
            foreach (var name in new[] { "undionly.kpxe", "snponly.efi" })
                File.Copy(Path.Combine(Repository.BootFiles, name), Path.Combine(tftp, name));
            await File.WriteAllTextAsync(Path.Combine(tftp, "boot.ipxe"), Script("boot.ipxe"));
            // iPXE of 2019 has no "ping" and so goes on to the newer one.
            await File.WriteAllTextAsync(Path.Combine(tftp, "newer.ipxe"), $"""
                #!ipxe
                ping --count 1 {LabNetwork.ServerAddress} && goto newer ||
                chain tftp://{LabNetwork.ServerAddress}/undionly.kpxe
                :newer
                chain tftp://{LabNetwork.ServerAddress}/boot.ipxe

                """);
            var dnsmasq = LabNetwork.StartIn(network.Server, "dnsmasq",
            [
                "--no-daemon", "--conf-file=/dev/null", "--port=0", "--interface=eth0", "--bind-interfaces", "--user=root",
                $"--dhcp-leasefile={Path.Combine(network.Folder, "leases")}", "--dhcp-authoritative", "--no-ping",
                "--dhcp-range=10.77.0.50,10.77.0.200,255.255.255.0,1h", "--enable-ra", "--dhcp-range=fd77::,ra-only",
                "--enable-tftp", $"--tftp-root={tftp}",
                "--dhcp-match=set:ipxe,175", "--dhcp-match=set:efi,option:client-arch,7", "--dhcp-match=set:efi,option:client-arch,9",
                $"--dhcp-mac=set:newer,{NewerBiosMac}",
                "--dhcp-boot=tag:efi,tag:!ipxe,snponly.efi",
                "--dhcp-boot=tag:ipxe,tag:newer,newer.ipxe",
                "--dhcp-boot=tag:ipxe,tag:!newer,boot.ipxe",
            ]);
            _ = dnsmasq.StandardError.ReadToEndAsync();
            return new ScriptSite(network, dnsmasq, await MarkerDisk.CreateAsync(network.Folder));
        }
        catch
        {
            await network.DisposeAsync();
            throw;
        }
    }

    /// <summary>Switches a machine on, waits until its disk was started, and tells how long after the first script that was.</summary>
    public async Task<(double Seconds, string Console)> BootAsync(string test, string mac)
    {
        var disk = Path.Combine(Network.Folder, $"{mac.Replace(':', '-')}.img");
        File.Copy(Disk, disk, overwrite: true);
        var options = new MachineOptions($"fault-{test}-{mac[^2..]}", mac, mac == UefiMac ? Firmware.UefiPxe : Firmware.Bios)
        {
            MemoryMiB = 512,
            Disks = [new MachineDisk(disk, "MARKER")],
        };
        await using var machine = await VirtualMachine.PowerOnAsync(Network, options);
        var (_, script) = await machine.Console.WaitForAsync("ImageForge: [0-9a-f:]{17} asks ", TimeSpan.FromSeconds(120));
        await machine.Console.WaitForAsync(MarkerDisk.Marker, TimeSpan.FromSeconds(120));
        return (machine.Console.Seconds - script, machine.Console.Text);
    }

    public FaultyHttpServer Serve(HttpFault fault) => new(Network, _ => (fault, Encoding.ASCII.GetBytes(Script("local.ipxe"))));

    /// <summary>Every packet to the server's HTTP port vanishes.</summary>
    public async Task DropHttpAsync()
    {
        foreach (var rule in new[]
        {
            "add table inet fault", "add chain inet fault input { type filter hook input priority 0 ; }", "add rule inet fault input tcp dport 8080 drop",
        })
        {
            var result = await LabNetwork.TryInAsync(Network.Server, "nft", rule);
            if (result.ExitCode != 0)
                throw new LabException($"nft {rule}: {result.All}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_dnsmasq.HasExited)
            _dnsmasq.Kill();
        await _dnsmasq.WaitForExitAsync();
        _dnsmasq.Dispose();
        await Network.DisposeAsync();
    }
}
