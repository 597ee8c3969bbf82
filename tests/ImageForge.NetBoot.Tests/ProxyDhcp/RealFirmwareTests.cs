using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using ImageForge.NetBoot.Dhcp;
using ImageForge.NetBoot.ProxyDhcp;
using ImageForge.NetBoot.Pxe;
using ImageForge.NetBoot.Tests.Lab;
using ImageForge.NetBoot.Tftp;
using Xunit.Abstractions;

namespace ImageForge.NetBoot.Tests.ProxyDhcp;

/// <summary>
/// Firmware we did not write (iPXE's BIOS ROM and OVMF, in QEMU) beside a DHCP server that knows nothing of us (dnsmasq):
/// proxyDHCP on 67 and 4011, then the boot file by TFTP. QEMU runs emulated (TCG), so the waits are long.
/// </summary>
public sealed class RealFirmwareTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const string Ovmf = "/usr/share/OVMF/OVMF_CODE_4M.fd", OvmfVariables = "/usr/share/OVMF/OVMF_VARS_4M.fd";

    private readonly ConcurrentQueue<DhcpExchange> _exchanges = new();
    private readonly ConcurrentQueue<TftpTransferReport> _transfers = new();
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("if-nb-");
    private readonly List<Process> _processes = [];
    private readonly List<IAsyncDisposable> _services = [];
    private NetworkNamespace _net = null!;

    public async Task InitializeAsync()
    {
        if (!Environment.IsPrivilegedProcess)
            return;
        _net = await NetworkNamespace.CreateAsync();
        // The client's side of the cable, the VM and the site's own DHCP server (10.77.0.2) share a bridge.
        foreach (var arguments in new[]
        {
            "link add br0 type bridge stp_state 0 forward_delay 0", "link set br0 up", "link set eth0 master br0",
            "tuntap add tap0 mode tap", "link set tap0 master br0 up", "addr add 10.77.0.2/24 dev br0",
        })
            await Command.MustAsync("ip", ["-n", _net.Clients, .. arguments.Split(' ')]);
        Start("dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--port=0", "--interface=br0", "--bind-interfaces", "--dhcp-range=10.77.0.100,10.77.0.150",
            $"--dhcp-leasefile={_folder.FullName}/leases", "--user=root", "--pid-file=");

        var us = IPAddress.Parse("10.77.0.1");
        var proxy = new ProxyDhcpResponder(new BootPolicy(client => client switch
        {
            { IsHttp: true } => new BootFile("http://10.77.0.1:8080/http.efi"),
            { IsIpxe: true } => new BootFile("tftp://10.77.0.1/boot.ipxe"),
            { Architecture: ClientArchitecture.X64 } => new BootFile("uefi.efi"),
            _ => new NoBootFile("no file"),
        }));
        var files = new VirtualTftpFiles();
        files.Set("boot.ipxe", _ => Encoding.ASCII.GetBytes("#!ipxe\nimgfetch tftp://${proxydhcp/next-server}/${net0/mac:hexhyp}/${platform}/${next-server} || \nsleep 60\n"));
        files.Set("uefi.efi", _ => new byte[200_000]);
        foreach (var port in new[] { 67, 4011 })
        {
            var listener = new DhcpListener(new DhcpListenerOptions("eth0", us, port), proxy, _exchanges.Enqueue);
            _net.Inside(listener.Start);
            _services.Add(listener);
        }
        var tftp = new TftpServer(new TftpServerOptions(IPAddress.Any, 69) { Interface = "eth0" }, files, TimeProvider.System, _transfers.Enqueue);
        _net.Inside(tftp.Start);
        _services.Add(tftp);
    }

    [NeedsRootFact("qemu-system-x86_64", "dnsmasq", "ip")]
    public async Task An_ipxe_bios_rom_takes_its_script_from_the_proxy()
    {
        StartVm("-machine", "pc", "-boot", "n", "-device", "virtio-net-pci,netdev=n0,mac=52:54:00:aa:00:01");

        // dnsmasq names itself as next-server in its own offer, asked or not, and iPXE's plain ${next-server} is that
        // one: scripts must name our server in full, or say ${proxydhcp/next-server}.
        await Until(() => _transfers.Any(t => t.Path == "52-54-00-aa-00-01/pcbios/10.77.0.2"), "iPXE to run boot.ipxe");
        Assert.Contains(_transfers, t => t is { Path: "boot.ipxe", Outcome: TftpOutcome.Completed });
        var offer = _exchanges.First(e => e.Kind == DhcpExchangeKind.Offered);
        Assert.True(offer.Client!.IsIpxe);
        Assert.Equal(new IpxeVersion(1, 0, 0), offer.Client.IpxeVersion);
        AssertAddressWasSeen("52:54:00:aa:00:01");
    }

    [NeedsRootFact("qemu-system-x86_64", "dnsmasq", "ip")]
    public async Task Ovmf_asks_again_on_4011_and_loads_its_boot_file()
    {
        StartVm([.. Uefi(), "-device", "virtio-net-pci,netdev=n0,mac=52:54:00:aa:00:02,romfile=,bootindex=1"]);

        await Until(() => _transfers.Any(t => t is { Path: "uefi.efi", Outcome: TftpOutcome.Completed }), "OVMF to load uefi.efi");
        Assert.Contains(_exchanges, e => e is { Kind: DhcpExchangeKind.Offered, Port: 67, BootFile: "uefi.efi" });
        Assert.Contains(_exchanges, e => e is { Kind: DhcpExchangeKind.Acknowledged, Port: 4011, BootFile: "uefi.efi" });
        var transfer = _transfers.Last(t => t.Outcome == TftpOutcome.Completed);
        // What OVMF 2022.11 asks for.
        Assert.Equal((200_000L, 1468, 4), (transfer.Bytes, transfer.BlockSize, transfer.WindowSize));
        AssertAddressWasSeen("52:54:00:aa:00:02");
    }

    [NeedsRootFact("qemu-system-x86_64", "dnsmasq", "ip")]
    public async Task Ovmf_http_boot_takes_its_url_from_the_proxy()
    {
        // A bare HTTP server is enough to see that it comes for the URL.
        TcpListener? http = null;
        _net.Inside(() => (http = new TcpListener(IPAddress.Any, 8080)).Start());
        using var listening = http!;
        StartVm([.. Uefi(), "-device", "virtio-net-pci,netdev=n0,mac=52:54:00:aa:00:03,romfile=,bootindex=1",
            "-fw_cfg", "name=opt/org.tianocore/IPv4PXESupport,string=n", "-fw_cfg", "name=opt/org.tianocore/IPv6PXESupport,string=n"]);

        await Until(listening.Pending, "OVMF to connect for its URL");
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        using var client = await listening.AcceptTcpClientAsync(patience.Token);
        using var reader = new StreamReader(client.GetStream());
        Assert.Equal("HEAD /http.efi HTTP/1.1", await reader.ReadLineAsync(patience.Token));
        Assert.Contains(_exchanges, e => e is { Kind: DhcpExchangeKind.Offered, Client.Architecture: ClientArchitecture.X64Http, BootFile: "http://10.77.0.1:8080/http.efi" });
    }

    /// <summary>The client's own REQUEST to the site's server shows which address the MAC uses.</summary>
    private void AssertAddressWasSeen(string mac) =>
        Assert.Contains(_exchanges, e => e.Mac?.ToString() == mac && e.Address?.ToString().StartsWith("10.77.0.1", StringComparison.Ordinal) == true);

    private string[] Uefi()
    {
        var variables = Path.Combine(_folder.FullName, "vars.fd");
        File.Copy(OvmfVariables, variables);
        return ["-machine", "q35", "-nodefaults", "-vga", "std", "-drive", $"if=pflash,format=raw,unit=0,readonly=on,file={Ovmf}", "-drive", $"if=pflash,format=raw,unit=1,file={variables}"];
    }

    private void StartVm(params string[] arguments) =>
        Start("qemu-system-x86_64", ["-display", "none", "-accel", "tcg", "-cpu", "Nehalem", "-m", "512", "-netdev", "tap,id=n0,ifname=tap0,script=no,downscript=no", .. arguments]);

    private void Start(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo("ip") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])["netns", "exec", _net.Clients, program, .. arguments])
            start.ArgumentList.Add(argument);
        var process = Process.Start(start)!;
        process.OutputDataReceived += static (_, _) => { };
        process.ErrorDataReceived += static (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        _processes.Add(process);
    }

    private async Task Until(Func<bool> condition, string what)
    {
        var watch = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(150), $"waited 150 s for {what}\n{string.Join('\n', _exchanges)}\n{string.Join('\n', _transfers)}");
            await Task.Delay(50);
        }
        output.WriteLine($"{what}: {watch.Elapsed.TotalSeconds:F1} s after power-on");
    }

    public async Task DisposeAsync()
    {
        foreach (var process in _processes)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
            process.Dispose();
        }
        foreach (var service in _services)
            await service.DisposeAsync();
        if (_net is not null)
            await _net.DisposeAsync();
        _folder.Delete(recursive: true);
    }
}
