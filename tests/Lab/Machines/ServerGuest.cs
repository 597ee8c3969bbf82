using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using ImageForge.Lab.Disks;

namespace ImageForge.Lab.Machines;

/// <summary>
/// The real server inside an emulated machine, its data on a disk of its own whose writes and flushes are logged. The guest's other programs are
/// this computer's, read-only over 9p. Reached over QEMU's user network on a loopback port; the guest reaches nothing.
/// </summary>
public sealed class ServerGuest : IAsyncDisposable
{
    private static readonly string[] s_modules = ["virtio_pci", "virtio_blk", "virtio_net", "virtio_rng", "9p", "9pnet_virtio", "ext4", "crc32c_generic"];

    private const string Init = """
        #!/bin/busybox sh
        b=/bin/busybox
        $b mount -t proc proc /proc; $b mount -t sysfs sys /sys; $b mount -t devtmpfs dev /dev
        for m in /modules/*; do $b insmod $m; done
        $b mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,cache=loose,ro host /host || $b poweroff -f
        for f in proc sys dev; do $b mount --bind /$f /host/$f; done
        $b mount -t tmpfs tmpfs /host/run
        $b mount -t ext4 /dev/vda /host/mnt || $b poweroff -f
        $b ip link set lo up; $b ip addr add 10.0.2.15/24 dev eth0; $b ip link set eth0 up; $b ip route add default via 10.0.2.2
        exec $b chroot /host /usr/bin/env -i HOME=/run TMPDIR=/run DOTNET_EnableDiagnostics=0 DOTNET_TieredPGO=0 PATH=/usr/bin:/bin $($b tr ' ' '\n' < /proc/cmdline | $b sed -n 's/^run=//p' | $b tr ',' ' ') > /dev/ttyS0 2>&1

        """;

    private readonly Process _qemu;
    private readonly Task<string> _errors;

    private ServerGuest(Process qemu, int port)
    {
        (_qemu, Port) = (qemu, port);
        Console = new SerialConsole(qemu.StandardOutput.BaseStream, Path.Combine(Repository.LogFolder, "store-guest.serial.log"));
        _errors = qemu.StandardError.ReadToEndAsync();
    }

    /// <summary>HTTPS, on 127.0.0.1.</summary>
    public int Port { get; }

    public SerialConsole Console { get; }

    /// <param name="folder">Scratch; keeps kernel and initrd for the next power-on.</param>
    /// <param name="disk">An ext4 file system; the server's data folder is <c>data</c> on it.</param>
    /// <param name="log">Made anew: see <see cref="WriteLog"/>.</param>
    /// <param name="settings">Without the section's name: <c>Store:Grace=00:00:00</c>.</param>
    public static async Task<ServerGuest> PowerOnAsync(string folder, string serverDll, string disk, string log, params string[] settings)
    {
        var (kernel, initrd) = await GuestInitrd.BuildAsync(folder, "server-guest", s_modules, Init);
        var port = FreePort();
        RawImage.CreateBlank(log, 8L << 30);
        var dotnet = Environment.ProcessPath is { } path && Path.GetFileName(path) == "dotnet" ? path : "/usr/bin/dotnet";
        string[] run =
        [
            dotnet, serverDll, "--data-folder", "/mnt/data", "--listen", "0.0.0.0", "--http-port", "8080", "--https-port", "8443",
            .. settings.Select(static s => $"--ImageForge:{s}"),
        ];
        return new ServerGuest(Command.Start("qemu-system-x86_64",
        [
            "-accel", "tcg,thread=multi", "-cpu", "Westmere", "-smp", "2", "-m", "1024", "-nodefaults", "-no-user-config", "-display", "none", "-serial", "stdio", "-no-reboot",
            "-kernel", kernel, "-initrd", initrd, "-append", $"console=ttyS0 quiet no_timer_check panic=-1 run={string.Join(',', run)}", "-device", "virtio-rng-pci",
            "-virtfs", "local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap",
            "-netdev", string.Create(CultureInfo.InvariantCulture, $"user,id=n0,restrict=on,hostfwd=tcp:127.0.0.1:{port}-:8443"), "-device", "virtio-net-pci,netdev=n0,romfile=",
            "-blockdev", $"driver=file,filename={disk},node-name=data", "-blockdev", $"driver=file,filename={log},node-name=log",
            "-blockdev", "driver=blklogwrites,node-name=logged,file=data,log=log", "-device", "virtio-blk-pci,drive=logged",
        ]), port);
    }

    /// <summary>Waits until it answers.</summary>
    public async Task WaitUntilReadyAsync(HttpClient client, TimeSpan limit)
    {
        using var patience = new CancellationTokenSource(limit);
        while (true)
        {
            if (_qemu.HasExited)
                throw new LabException($"QEMU ended with {_qemu.ExitCode}: {await _errors}\n{Console.Tail()}");
            try
            {
                using var response = await client.GetAsync("healthz", patience.Token);
                if (response.StatusCode == HttpStatusCode.OK)
                    return;
            }
            catch (Exception e) when (e is HttpRequestException or IOException && !patience.IsCancellationRequested)
            {
                // It is still starting.
            }
            catch (OperationCanceledException) when (patience.IsCancellationRequested)
            {
                throw new LabException($"the server in the guest does not answer after {limit.TotalSeconds:0} s:\n{Console.Tail()}");
            }
            await Task.Delay(200);
        }
    }

    /// <summary>The plug is pulled: the guest's memory is gone, and what it had not flushed is the log's to drop.</summary>
    public async Task CutPowerAsync()
    {
        if (!_qemu.HasExited)
            _qemu.Kill();
        await _qemu.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await CutPowerAsync();
        Console.Dispose();
        _qemu.Dispose();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
