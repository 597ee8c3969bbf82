using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ImageForge.Server.ImageStore;

/// <summary>Makes what was written durable.</summary>
internal interface IStoreSync
{
    /// <summary>Writes back the whole file system of the store. Returns 0, or the errno of any write-back that failed since the last call.</summary>
    int SyncFileSystem();
}

/// <summary>
/// <c>syncfs</c> on a descriptor that stays open from start to end: since Linux 5.8 the kernel reports each write-back
/// error once per open descriptor, and one opened only now would not hear of an earlier one.
/// </summary>
internal sealed partial class StoreSync(StoreFolder folder) : IStoreSync, IDisposable
{
    private readonly SafeFileHandle _root = OpenFolder(folder.Root);

    public int SyncFileSystem() => SyncFs(_root) == 0 ? 0 : Marshal.GetLastPInvokeError();

    public void Dispose() => _root.Dispose();

    /// <summary>Makes the names in a folder durable: a rename lives in the directory, not in the file.</summary>
    /// <exception cref="IOException">The kernel's reason, its errno as HResult.</exception>
    public static void FlushFolder(string path)
    {
        using var handle = OpenFolder(path);
        if (FSync(handle) != 0)
            throw Error("fsync", path);
    }

    /// <summary>Asks the kernel to drop its copy of a file, as far as it is clean. A wish, not a promise.</summary>
    public static void ForgetCached(SafeFileHandle file)
    {
        const int dontNeed = 4;
        _ = Advise(file, 0, 0, dontNeed);
    }

    private static SafeFileHandle OpenFolder(string path)
    {
        const int readOnly = 0, directory = 0x10000, closeOnExec = 0x80000;
        var handle = Open(path, readOnly | directory | closeOnExec);
        return handle.IsInvalid ? throw Error("open", path) : handle;
    }

    private static IOException Error(string operation, string path)
    {
        var errno = Marshal.GetLastPInvokeError();
        return new IOException($"{operation} of {path}: {Marshal.GetPInvokeErrorMessage(errno)}", errno);
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "posix_fadvise64")]
    private static partial int Advise(SafeFileHandle file, long offset, long length, int advice);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FSync(SafeFileHandle handle);

    [LibraryImport("libc", EntryPoint = "syncfs", SetLastError = true)]
    private static partial int SyncFs(SafeFileHandle handle);
}
