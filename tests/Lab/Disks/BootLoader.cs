using System.Buffers.Binary;

namespace ImageForge.Lab.Disks;

/// <summary>GRUB for BIOS and UEFI, put on a disk image without a loop device, a mount or grub-install.</summary>
internal sealed class BootLoader
{
    private static readonly string[] Modules =
        ["part_gpt", "ext2", "fat", "search", "search_fs_uuid", "configfile", "normal", "linux", "echo", "serial", "terminal", "test", "boot"];

    private readonly string _efi;
    private readonly byte[] _core;

    private BootLoader(string efi, byte[] core) => (_efi, _core) = (efi, core);

    public static async Task<BootLoader> BuildAsync(string work)
    {
        var config = Path.Combine(work, "early.cfg");
        await File.WriteAllTextAsync(config, $"""
            serial --unit=0 --speed=115200
            terminal_output serial console
            search --no-floppy --fs-uuid --set=root {LabLinux.RootUuid}
            set prefix=($root)/boot/grub
            configfile ($root)/boot/grub/grub.cfg

            """);
        var efi = Path.Combine(work, "BOOTX64.EFI");
        var core = Path.Combine(work, "core.img");
        await Command.RunAsync("grub-mkimage", ["-O", "x86_64-efi", "-p", "/EFI/BOOT", "-c", config, "-o", efi, .. Modules, "efi_gop"]);
        await Command.RunAsync("grub-mkimage", ["-O", "i386-pc", "-p", "/boot/grub", "-c", config, "-o", core, .. Modules, "biosdisk"]);
        return new BootLoader(efi, await File.ReadAllBytesAsync(core));
    }

    /// <summary>boot.img into the MBR's code area, core.img into the BIOS boot partition, each told where the next one is (GRUB manual, "BIOS installation").</summary>
    public void InstallForBios(string disk, long coreOffset)
    {
        var core = new byte[(_core.Length + 511) / 512 * 512];
        _core.CopyTo(core, 0);
        var coreSector = (ulong)coreOffset / 512;
        // The last blocklist entry of core.img's first sector: u64 first sector, u16 count, u16 load segment.
        BinaryPrimitives.WriteUInt64LittleEndian(core.AsSpan(0x1f4), coreSector + 1);
        BinaryPrimitives.WriteUInt16LittleEndian(core.AsSpan(0x1fc), (ushort)(core.Length / 512 - 1));
        BinaryPrimitives.WriteUInt16LittleEndian(core.AsSpan(0x1fe), 0x820);

        var boot = File.ReadAllBytes("/usr/lib/grub/i386-pc/boot.img");
        BinaryPrimitives.WriteUInt64LittleEndian(boot.AsSpan(0x5c), coreSector);
        // For hard disks the jump around the drive check becomes two no-ops, as grub-bios-setup does.
        boot[0x66] = boot[0x67] = 0x90;

        using var file = File.OpenHandle(disk, FileMode.Open, FileAccess.ReadWrite);
        // Only the first 440 bytes are code; the rest is the disk signature and the partition entries.
        RandomAccess.Write(file, boot.AsSpan(0, 440), 0);
        RandomAccess.Write(file, core, coreOffset);
    }

    public async Task<string> BuildSystemPartitionAsync(string path, long bytes)
    {
        RawImage.CreateBlank(path, bytes);
        await Command.RunAsync("mkfs.vfat", "-F", "32", "-s", "1", "-n", "ESP", "-i", "1ABF0E52", path);
        await Command.RunAsync("mmd", "-i", path, "::/EFI", "::/EFI/BOOT", "::/EFI/debian");
        await Command.RunAsync("mcopy", "-i", path, _efi, "::/EFI/BOOT/BOOTX64.EFI");
        await Command.RunAsync("mcopy", "-i", path, _efi, "::/EFI/debian/grubx64.efi");
        return path;
    }
}
