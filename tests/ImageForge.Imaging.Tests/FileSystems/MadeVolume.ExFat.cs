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

    /// <param name="type">luks1 or luks2. The passphrase is "judge", derived quickly.</param>
    public static MadeVolume Luks(long bytes, string type, string uuid) => Make(bytes, volume =>
    {
        var key = volume.Image + ".key";
        File.WriteAllText(key, "judge");
        Shell.Run("cryptsetup", "luksFormat", "-q", "--type", type, "--uuid", uuid, "--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000",
            "--cipher", "aes-xts-plain64", "--use-urandom", "--key-file", key, volume.Image);
    });

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
