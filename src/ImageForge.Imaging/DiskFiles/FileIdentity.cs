using System.Globalization;
using ImageForge.Imaging.Disks;

namespace ImageForge.Imaging.DiskFiles;

/// <summary>What is the same for every path that leads to one disk: the device's number, or the file system and the inode.</summary>
internal static unsafe class FileIdentity
{
    // linux/stat.h: struct statx has the same 256 bytes on every architecture.
    private const int Size = 256, Mode = 28, Inode = 32, OwnDevice = 128, Device = 136;
    private const int TypeMask = 0xF000, BlockDevice = 0x6000;

    /// <summary>A text to compare; of what is not there, the full path.</summary>
    public static string Of(string path)
    {
        var stat = stackalloc byte[Size];
        if (LibC.Statx(LibC.AT_FDCWD, path, 0, LibC.STATX_BASIC_STATS, stat) != 0)
            return Path.GetFullPath(path);
        // Major and minor number, 32 bits each, one behind the other.
        return (*(ushort*)(stat + Mode) & TypeMask) == BlockDevice
            ? string.Create(CultureInfo.InvariantCulture, $"device {*(ulong*)(stat + OwnDevice):x}")
            : string.Create(CultureInfo.InvariantCulture, $"file {*(ulong*)(stat + Device):x} {*(ulong*)(stat + Inode):x}");
    }
}
