using System.Globalization;

namespace ImageForge.Imaging.Tests.FileSystems;

internal sealed partial class MadeVolume
{
    /// <summary>Made and mounted through a loop device: exfatprogs takes the sector size from it, FUSE insists on one.</summary>
    public static MadeVolume ExFat(long bytes, string options, int files = 200, int sectorSize = 512) => Make(bytes, volume =>
    {
        var node = Attach(volume.Image, sectorSize);
        try
        {
            Shell.Run("mkfs.exfat", ["-L", "Judge", .. Split(options), node]);
            if (files > 0)
                volume.Mounted(files, "mount.exfat-fuse", node);
        }
        finally
        {
            Shell.Run("losetup", "--detach", node);
        }
    });

    public static MadeVolume Swap(long bytes, string options) => Make(bytes, volume => Shell.Run("mkswap", ["-q", .. Split(options), volume.Image]));

    private static Action MountExFat(string image, string folder)
    {
        // The boot sector itself says how large its sectors are.
        using (var file = File.OpenRead(image))
        {
            file.Position = 108;
            var node = Attach(image, 1 << file.ReadByte());
            Shell.Run("mount.exfat-fuse", "-o", "ro", node, folder);
            return () =>
            {
                Shell.Unmount(folder);
                Shell.Run("losetup", "--detach", node);
            };
        }
    }

    private static string Attach(string image, int sectorSize) =>
        Shell.Run("losetup", "--find", "--show", "--sector-size", sectorSize.ToString(CultureInfo.InvariantCulture), image).Trim();
}
