using System.Globalization;

namespace ImageForge.Lab.Machines;

/// <summary>
/// A script under Debian's kernel in an emulated machine whose root is this computer's own, read-only over 9p: every program
/// installed here runs there, with kernel features that this computer may lack (device-mapper). The script is root; it can write to /run,
/// which is its own, and to /mnt, a folder that both sides see.
/// </summary>
public static class HostRootGuest
{
    private static readonly string[] Modules = ["virtio_pci", "virtio_blk", "9p", "9pnet_virtio", "ext4", "crc32c_generic", "dm_mod"];

    private const string Init = """
        #!/bin/busybox sh
        b=/bin/busybox
        $b mount -t proc proc /proc; $b mount -t sysfs sys /sys; $b mount -t devtmpfs dev /dev
        for m in /modules/*; do $b insmod $m; done
        $b mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144,cache=loose,ro host /host || $b poweroff -f
        for f in proc sys dev; do $b mount --bind /$f /host/$f; done
        $b mount -t tmpfs tmpfs /host/run
        $b mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144,cache=none work /host/mnt
        $b chroot /host /usr/bin/env -i HOME=/run TMPDIR=/run DOTNET_EnableDiagnostics=0 LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin DOTNET_CLI_TELEMETRY_OPTOUT=1 /bin/bash -eu /mnt/script > /host/mnt/output 2>&1
        echo $? > /host/mnt/exit
        $b sync; $b umount /host/mnt
        $b poweroff -f

        """;

    /// <param name="folder">Shared with the guest, which sees it as /mnt; holds the output and the console's log afterwards.</param>
    /// <param name="script">For bash with -e and -u.</param>
    /// <param name="disks">Raw images: /dev/vda, /dev/vdb …</param>
    /// <returns>What the script printed.</returns>
    /// <exception cref="LabException">It failed, or took longer.</exception>
    public static async Task<string> RunAsync(string folder, string script, TimeSpan limit, params string[] disks)
    {
        await File.WriteAllTextAsync(Path.Combine(folder, "script"), script);
        foreach (var old in (ReadOnlySpan<string>)["output", "exit"])
            File.Delete(Path.Combine(folder, old));
        var (kernel, initrd) = await GuestInitrd.BuildAsync(folder, "guest", Modules, Init);
        List<string> arguments =
        [
            "-accel", "tcg,thread=multi", "-cpu", "Westmere", "-smp", "1", "-m", "1024", "-nodefaults", "-no-user-config", "-display", "none", "-serial", "stdio", "-no-reboot",
            "-kernel", kernel, "-initrd", initrd, "-append", "console=ttyS0 quiet no_timer_check panic=-1", "-device", "virtio-rng-pci",
            "-virtfs", "local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap",
            "-virtfs", $"local,path={folder},mount_tag=work,security_model=none",
        ];
        for (var i = 0; i < disks.Length; i++)
            arguments.AddRange(["-drive", string.Create(CultureInfo.InvariantCulture, $"if=none,id=d{i},file={disks[i]},format=raw,cache=unsafe"), "-device", string.Create(CultureInfo.InvariantCulture, $"virtio-blk-pci,drive=d{i}")]);
        using var qemu = Command.Start("qemu-system-x86_64", arguments);
        qemu.StandardInput.Close();
        var console = qemu.StandardOutput.ReadToEndAsync();
        var errors = qemu.StandardError.ReadToEndAsync();
        using var patience = new CancellationTokenSource(limit);
        try
        {
            await qemu.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            qemu.Kill();
            throw new LabException($"the guest still ran after {limit.TotalSeconds:0} s: {await console}{await errors}\n{Read(folder, "output")}");
        }
        var output = Read(folder, "output");
        return Read(folder, "exit").Trim() == "0" ? output : throw new LabException($"the guest's script failed ({Read(folder, "exit").Trim()}):\n{output}\n{await console}{await errors}");
    }

    private static string Read(string folder, string name) => File.Exists(Path.Combine(folder, name)) ? File.ReadAllText(Path.Combine(folder, name)) : "";
}
