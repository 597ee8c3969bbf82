using System.Buffers.Binary;
using ImageForge.Imaging.Tests.Doubles;
using ImageForge.Imaging.Tests.FileSystems;

namespace ImageForge.Imaging.Tests.Layouts;

/// <summary>
/// GRUB for BIOS, put where grub-bios-setup puts it: Debian's boot.img into LBA 0 around the table, a core image made by grub-mkimage
/// behind the MBR or into a BIOS boot partition, each told the LBA of what follows (grub-core/boot/i386/pc/boot.S and diskboot.S). The
/// program itself cannot be used here: it asks loop devices for a geometry they do not have.
/// </summary>
internal static class Grub
{
    private const int KernelSectorAt = 0x5C, FirstBlockListAt = 0x1F4;

    /// <param name="at">LBA of the core image: 1 behind an MBR, else the BIOS boot partition's first.</param>
    /// <returns>The core image as it lies on the disk.</returns>
    public static byte[] Install(MadeDisk disk, int at, string tableModule)
    {
        using var folder = new TempFolder();
        Shell.Run("grub-mkimage", "-O", "i386-pc", "-o", folder["core.img"], "-p", "(hd0,1)/boot/grub", "biosdisk", tableModule, "ext2", "normal");
        var core = File.ReadAllBytes(folder["core.img"]);
        BinaryPrimitives.WriteInt64LittleEndian(core.AsSpan(FirstBlockListAt), at + 1);
        var boot = File.ReadAllBytes("/usr/lib/grub/i386-pc/boot.img");
        BinaryPrimitives.WriteInt64LittleEndian(boot.AsSpan(KernelSectorAt), at);
        // The jump around the check of the drive number becomes two no-ops on hard disks.
        boot[0x66] = boot[0x67] = 0x90;
        disk.Write(0, boot.AsSpan(0, 440));
        disk.Write(at * 512L, core);
        return core;
    }
}
