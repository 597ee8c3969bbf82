using System.Buffers.Binary;
using System.Text;
using ImageForge.Lab;
using ImageForge.Lab.Disks;

namespace ImageForge.EndToEnd.BootFaults;

/// <summary>
/// A disk that only says that it was started: a boot sector that writes to the serial port (BIOS), and an EFI system
/// partition whose BOOTX64.EFI does the same (GRUB). It starts in milliseconds, so the time measured is the script's.
/// </summary>
internal static class MarkerDisk
{
    public const string Marker = "MARKER: the disk was started";

    private const long PartitionOffset = 1 << 20, PartitionBytes = 40 << 20;

    public static async Task<string> CreateAsync(string folder)
    {
        var disk = RawImage.CreateBlank(Path.Combine(folder, "marker.img"), 64 << 20);
        await Command.RunAsync("sgdisk", "--new=1:2048:+40M", "--typecode=1:ef00", disk);
        var config = Path.Combine(folder, "marker.cfg");
        await File.WriteAllTextAsync(config, $"serial --unit=0 --speed=115200\nterminal_output serial\necho \"{Marker}\"\nsleep 60\n");
        var efi = Path.Combine(folder, "BOOTX64.EFI");
        await Command.RunAsync("grub-mkimage", "-O", "x86_64-efi", "-p", "/EFI/BOOT", "-c", config, "-o", efi, "serial", "terminal", "echo", "sleep");
        var partition = RawImage.CreateBlank(Path.Combine(folder, "marker-esp.img"), PartitionBytes);
        await Command.RunAsync("mkfs.vfat", "-F", "16", partition);
        await Command.RunAsync("mmd", "-i", partition, "::/EFI", "::/EFI/BOOT");
        await Command.RunAsync("mcopy", "-i", partition, efi, "::/EFI/BOOT/BOOTX64.EFI");
        RawImage.Copy(partition, 0, PartitionBytes, disk, PartitionOffset);
        using var file = File.OpenHandle(disk, FileMode.Open, FileAccess.ReadWrite);
        RandomAccess.Write(file, BootSectorCode(), 0);
        return disk;
    }

    /// <summary>16-bit code at 0000:7C00: writes the marker to COM1 (0x3F8, line status 0x3FD bit 5: ready) and halts.</summary>
    private static byte[] BootSectorCode()
    {
        byte[] code =
        [
            0xFA, 0x31, 0xC0, 0x8E, 0xD8,       //  0 cli; xor ax,ax; mov ds,ax
            0xBE, 0, 0,                         //  5 mov si,text
            0xAC, 0x84, 0xC0,                   //  8 lodsb; test al,al
            0x74, 18,                           // 11 jz 31
            0x88, 0xC3,                         // 13 mov bl,al
            0xBA, 0xFD, 0x03,                   // 15 mov dx,3FD
            0xEC, 0xA8, 0x20, 0x74, 0xFB,       // 18 in al,dx; test al,20; jz 18
            0x88, 0xD8,                         // 23 mov al,bl
            0xBA, 0xF8, 0x03, 0xEE,             // 25 mov dx,3F8; out dx,al
            0xEB, 0xE9,                         // 29 jmp 8
            0xF4, 0xEB, 0xFD,                   // 31 hlt; jmp 31
        ];
        BinaryPrimitives.WriteUInt16LittleEndian(code.AsSpan(6), (ushort)(0x7C00 + code.Length));
        return [.. code, .. Encoding.ASCII.GetBytes($"\r\n{Marker}\r\n\0")];
    }
}
