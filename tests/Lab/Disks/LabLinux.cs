using System.Globalization;

namespace ImageForge.Lab.Disks;

/// <summary>
/// A small real Linux on ext4: Debian's kernel and busybox, with init, fstab, getty and a check of every one of its files at
/// boot. It prints <see cref="SourceDisk.Marker"/> and a login prompt on the serial line; "poweroff" is what it does on ACPI power button.
/// </summary>
internal static class LabLinux
{
    public const string RootUuid = "11111111-2222-4333-8444-555555555555";

    private static readonly string[] Modules = ["virtio_pci", "virtio_blk", "ext4", "crc32c_generic", "crc32c_intel", "vfat", "nls_cp437", "nls_ascii"];

    public static async Task<string> BuildAsync(string root, string image, long bytes)
    {
        var (kernelRoot, busybox) = await PackagesAsync();
        var kernel = Path.GetFileName(Directory.GetDirectories(Path.Combine(kernelRoot, "lib/modules")).Single());
        foreach (var folder in new[] { "bin", "sbin", "dev", "proc", "sys", "run", "tmp", "etc/init.d", "boot/grub", "boot/efi", "root", "srv" })
            Directory.CreateDirectory(Path.Combine(root, folder));
        await InstallBusyboxAsync(busybox, root);
        await CopyModulesAsync(kernelRoot, kernel, root);
        File.Copy(Directory.GetFiles(Path.Combine(kernelRoot, "boot"), "vmlinuz-*").Single(), Path.Combine(root, "boot/vmlinuz"));

        WriteText(root, "etc/fstab", $"UUID={RootUuid} / ext4 defaults 0 1\n");
        WriteText(root, "etc/hostname", "lab-source\n");
        WriteText(root, "etc/passwd", "root::0:0:root:/root:/bin/sh\n");
        WriteText(root, "etc/inittab", "::sysinit:/etc/init.d/rcS\nttyS0::respawn:/sbin/getty -L ttyS0 115200 vt100\n::ctrlaltdel:/sbin/reboot\n::shutdown:/bin/umount -a -r\n");
        WriteText(root, "boot/grub/grub.cfg", $"""
            echo "lab-source: GRUB"
            linux /boot/vmlinuz root=UUID={RootUuid} console=ttyS0 quiet no_timer_check
            initrd /boot/initrd.img
            boot

            """);
        WriteText(root, "etc/init.d/rcS", $"""
            #!/bin/sh
            mount -o remount,rw /
            mount -t tmpfs run /run
            hostname -F /etc/hostname
            echo boot >> /root/boots
            if sha256sum -c -s /etc/checksums; then
                echo "{SourceDisk.Marker}, boot $(wc -l < /root/boots), $([ -d /sys/firmware/efi ] && echo UEFI || echo BIOS)" > /dev/ttyS0
            else
                echo "lab-source: FILES ARE DAMAGED" > /dev/ttyS0
            fi

            """, executable: true);
        await BuildInitrdAsync(busybox, kernelRoot, kernel, root);
        SampleFiles.Fill(Path.Combine(root, "srv"), files: 900, bytes: 30 << 20, seed: 42);
        // Checked at every boot; few enough to be quick in an emulated machine.
        await Command.RunAsync("sh", "-c", "cd \"$1\" && find bin/busybox boot etc/inittab srv/d1 srv/d2 srv/d3 -type f -print0 | sort -z | xargs -0 sha256sum | sed 's,  ,  /,' > etc/checksums", "sh", root);
        File.WriteAllBytes(Path.Combine(root, "leftover.bin"), SampleFiles.Leftovers(12 << 20));

        RawImage.CreateBlank(image, bytes);
        await Command.RunAsync("mke2fs", "-q", "-t", "ext4", "-b", "4096", "-L", "labroot", "-U", RootUuid, "-d", root, image);
        await Command.RunAsync("debugfs", "-w", "-R", "rm /leftover.bin", image);
        await Command.RunAsync("e2fsck", "-fn", image);
        return image;
    }

    /// <summary>The live image's build has both packages unpacked already.</summary>
    internal static async Task<(string Kernel, string Busybox)> PackagesAsync()
    {
        var unpacked = Path.Combine(Repository.Build, "apt/bookworm/unpacked");
        string Find(string pattern) => Directory.Exists(unpacked) && Directory.GetDirectories(unpacked, pattern) is [.., var newest]
            ? newest
            : throw new LabException($"{unpacked}/{pattern} is missing; `./forge live` makes it");
        var busybox = Find("busybox-static_*");
        await Task.CompletedTask;
        return (Find("linux-image-*"), File.Exists(Path.Combine(busybox, "bin/busybox")) ? Path.Combine(busybox, "bin/busybox") : Path.Combine(busybox, "usr/bin/busybox"));
    }

    private static async Task InstallBusyboxAsync(string busybox, string root)
    {
        File.Copy(busybox, Path.Combine(root, "bin/busybox"));
        foreach (var applet in (await Command.RunAsync(busybox, "--list-full")).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var name = Path.GetFileName(applet);
            var folder = applet.Contains("sbin/", StringComparison.Ordinal) ? "sbin" : "bin";
            if (!File.Exists(Path.Combine(root, folder, name)))
                File.CreateSymbolicLink(Path.Combine(root, folder, name), "/bin/busybox");
        }
    }

    private static async Task CopyModulesAsync(string kernelRoot, string kernel, string root)
    {
        foreach (var module in Modules)
        {
            foreach (var line in (await Command.RunAsync("modprobe", "-d", kernelRoot, "-S", kernel, "--show-depends", module)).Split('\n'))
            {
                if (!line.StartsWith("insmod ", StringComparison.Ordinal))
                    continue;
                var file = line[7..].Trim();
                var target = Path.Combine(root, Path.GetRelativePath(kernelRoot, file));
                Directory.CreateDirectory(Path.GetDirectoryName(target)!);
                File.Copy(file, target, overwrite: true);
            }
        }
        await Command.TryAsync("depmod", "-b", root, kernel);
    }

    /// <summary>An initramfs that loads the disk's driver, waits for the root file system and moves on to it.</summary>
    private static async Task BuildInitrdAsync(string busybox, string kernelRoot, string kernel, string root)
    {
        var tree = $"{root}-initrd";
        foreach (var folder in new[] { "bin", "sbin", "dev", "proc", "sys", "new" })
            Directory.CreateDirectory(Path.Combine(tree, folder));
        await InstallBusyboxAsync(busybox, tree);
        await CopyModulesAsync(kernelRoot, kernel, tree);
        WriteText(tree, "init", string.Create(CultureInfo.InvariantCulture, $"""
            #!/bin/sh
            mount -t devtmpfs dev /dev; mount -t proc proc /proc; mount -t sysfs sys /sys
            modprobe -a {string.Join(' ', Modules)}
            until disk=$(findfs UUID={RootUuid}); do sleep 0.2; done
            mount -t ext4 -o ro "$disk" /new || exec sh
            mount --move /dev /new/dev; mount --move /proc /new/proc; mount --move /sys /new/sys
            exec switch_root /new /sbin/init

            """), executable: true);
        await Command.RunAsync("sh", "-c", "cd \"$1\" && find . | cpio --quiet -o -H newc | zstd -q -9 -o \"$2\"", "sh", tree, Path.Combine(root, "boot/initrd.img"));
    }

    private static void WriteText(string root, string name, string text, bool executable = false)
    {
        var path = Path.Combine(root, name);
        File.WriteAllText(path, text);
        if (executable)
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
    }
}
