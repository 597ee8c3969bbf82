using System.Runtime.InteropServices;
using ImageForge.Contracts;
using ImageForge.Imaging.Disks;

namespace ImageForge.Imaging.Resize;

/// <summary>A file system mounted for as long as this lives: XFS and Btrfs grow only while they are.</summary>
internal sealed partial class MountedVolume : IDisposable
{
    // linux/mount.h
    private const nuint MS_NOSUID = 2, MS_NODEV = 4, MS_NOEXEC = 8, MS_NOATIME = 1024;
    private const string LibCName = "libc.so.6";

    private readonly string _folder;

    private MountedVolume(string folder) => _folder = folder;

    /// <returns>The mounted volume, or the error number.</returns>
    public static (MountedVolume? Mount, int Errno) Of(string node, string type, string? options)
    {
        var folder = Directory.CreateTempSubdirectory("imageforge-grow-").FullName;
        if (Mount(node, folder, type, MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME, options) == 0)
            return (new MountedVolume(folder), 0);
        var errno = Marshal.GetLastPInvokeError();
        Directory.Delete(folder);
        return (null, errno);
    }

    /// <summary>One ioctl on the root folder. Returns 0 or the error number.</summary>
    public unsafe int Ioctl(nuint request, void* argument)
    {
        const int O_DIRECTORY = 0x10000;
        using var root = new PosixFile(_folder, PosixFile.Open(_folder, LibC.O_RDONLY | LibC.O_CLOEXEC | (RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x4000 : O_DIRECTORY)));
        return root.Ioctl(request, argument);
    }

    public void Dispose()
    {
        // Everything is written before this returns: the file system is not busy, nobody else knows the folder.
        var left = 50;
        while (Unmount(_folder, 0) != 0)
        {
            var errno = Marshal.GetLastPInvokeError();
            if (errno != Errno.EBUSY || left-- == 0)
                throw new FailureException("growFailed", Fault.Disk, $"The grown file system could not be unmounted (error {errno}).", "Order the job again; if it repeats, deploy without \"fill\".");
            Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System).GetAwaiter().GetResult();
        }
        Directory.Delete(_folder);
    }

    [LibraryImport(LibCName, EntryPoint = "mount", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Mount(string source, string target, string type, nuint flags, string? data);

    [LibraryImport(LibCName, EntryPoint = "umount2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Unmount(string target, int flags);
}
