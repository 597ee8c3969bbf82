using System.CommandLine;

namespace ImageForge.Cli.Disk;

/// <summary><c>imageforge disk …</c>: this machine's disks and disk files, without a server.</summary>
internal static class DiskCommands
{
    public static Command Make() => new("disk", "Disks of this machine, image files and disks of virtual machines")
    {
        DiskShow.Make(),
        DiskCapture.Make(),
        DiskDeploy.Make(),
        DiskVerify.Make(),
        DiskDiff.Make(),
    };

    public static Argument<string> DiskArgument(string name = "DISK") => new(name) { Description = "A block device (/dev/…), a raw image file, or a qcow2, vmdk, vhdx, vhd or vdi file" };

    /// <summary>Image files do not say how large their sectors are.</summary>
    public static Option<int?> SectorSizeOption() => new("--sector-size") { Description = "Of an image file: 512 or 4096 (default: what its partition table was made for)", HelpName = "BYTES" };
}
