using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ImageForge.Imaging.LocalStore;

/// <summary>Makes files and names survive a power cut.</summary>
internal static partial class Durable
{
    // asm-generic/fcntl.h; O_DIRECTORY differs on arm64 (arch/arm64/include/uapi/asm/fcntl.h).
    private const int ReadOnly = 0, CloseOnExec = 0x80000;

    // linux/fadvise.h
    private const int DontNeed = 4;

    private static readonly int s_directory = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x4000 : 0x10000;

    /// <summary>A new or replaced file, whole and durable before it has its name.</summary>
    /// <exception cref="IOException">No space, or the disk refuses.</exception>
    public static void WriteFile(string path, ReadOnlySpan<byte> content)
    {
        var temporary = path + ".tmp";
        try
        {
            using (var file = File.OpenHandle(temporary, FileMode.Create, FileAccess.Write, FileShare.None))
            {
                RandomAccess.Write(file, content, 0);
                RandomAccess.FlushToDisk(file);
            }
            File.Move(temporary, path, overwrite: true);
            FlushFolder(Path.GetDirectoryName(path)!);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>Makes the names in a folder durable: a rename lives in the directory, not in the file.</summary>
    public static void FlushFolder(string path)
    {
        using var handle = OpenFolder(path);
        if (FSync(handle) != 0)
            throw Error("fsync", path);
    }

    /// <summary>A descriptor for <see cref="SyncFileSystem"/>; it must be open before the first write it is to vouch for.</summary>
    public static SafeFileHandle OpenFolder(string path)
    {
        var handle = Open(path, ReadOnly | s_directory | CloseOnExec);
        return handle.IsInvalid ? throw Error("open", path) : handle;
    }

    /// <summary>Writes back the whole file system. Since Linux 5.8 it reports each write-back error once per open descriptor.</summary>
    public static void SyncFileSystem(SafeFileHandle folder, string path)
    {
        if (SyncFs(folder) != 0)
            throw Error("syncfs", path);
    }

    /// <summary>Makes the next read come from the disk, as far as the kernel can.</summary>
    public static void ForgetCached(string path)
    {
        using var file = File.OpenHandle(path);
        // Advice: an error changes nothing.
        _ = FAdvise(file, 0, 0, DontNeed);
    }

    private static IOException Error(string operation, string path)
    {
        var errno = Marshal.GetLastPInvokeError();
        return new IOException($"{operation} of {path}: {Marshal.GetPInvokeErrorMessage(errno)}", errno);
    }

    [LibraryImport("libc.so.6", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle Open(string path, int flags);

    [LibraryImport("libc.so.6", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FSync(SafeFileHandle handle);

    [LibraryImport("libc.so.6", EntryPoint = "posix_fadvise64")]
    private static partial int FAdvise(SafeFileHandle handle, long offset, long length, int advice);

    [LibraryImport("libc.so.6", EntryPoint = "syncfs", SetLastError = true)]
    private static partial int SyncFs(SafeFileHandle handle);
}
