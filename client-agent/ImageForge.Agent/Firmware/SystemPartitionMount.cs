using System.ComponentModel;
using System.Runtime.InteropServices;

namespace ImageForge.Agent.Firmware;

/// <summary>A FAT partition mounted while this exists. Unmounting writes everything back.</summary>
internal sealed partial class SystemPartitionMount : IDisposable
{
    /// <summary>The one name that the static agent links directly.</summary>
    private const string LibC = "libc.so.6";
    private const nuint NoSuid = 2, NoDev = 4, NoExec = 8; // MS_… of linux/mount.h

    /// <summary>Of a folder that is there already: what only <see cref="Open"/> mounts, only <see cref="Dispose"/> of that one unmounts.</summary>
    internal SystemPartitionMount(string folder) => Folder = folder;

    public string Folder { get; }

    /// <param name="device">For example <c>/dev/sda1</c>.</param>
    /// <exception cref="IOException">The kernel refused, with its reason.</exception>
    public static SystemPartitionMount Open(string device, string stateFolder)
    {
        var folder = Path.Combine(stateFolder, "esp");
        Directory.CreateDirectory(folder);
        if (Mount(device, folder, "vfat", NoSuid | NoDev | NoExec, "") != 0)
            throw new IOException($"mounting {device}: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}");
        return new SystemPartitionMount(folder);
    }

    public void Dispose()
    {
        // Unmounting flushes; a lazy second try never leaves the disk claimed.
        if (Unmount(Folder, 0) != 0)
            _ = Unmount(Folder, 2);
    }

    [LibraryImport(LibC, EntryPoint = "mount", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Mount(string source, string target, string type, nuint flags, string data);

    [LibraryImport(LibC, EntryPoint = "umount2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Unmount(string target, int flags);
}
