using ImageForge.Contracts;

namespace ImageForge.Imaging.LocalStore;

/// <summary>
/// Locks of the kernel (<c>flock</c>), given back when the process ends, however it ends. A writer adds chunks and versions; only
/// a sweep removes chunks, and it needs both locks alone. A server that uses the folder holds the writer's lock.
/// </summary>
internal sealed class StoreLock : IDisposable
{
    private readonly List<FileStream> _held = [];

    private StoreLock() { }

    /// <summary>The right to add: one at a time.</summary>
    public static StoreLock ForWriting(LocalStoreFolder folder) =>
        new StoreLock().Take(folder, folder.WriterLock, shared: false);

    /// <summary>Keeps chunks from being swept; any number at once, beside one writer.</summary>
    public static StoreLock ForReading(LocalStoreFolder folder) =>
        new StoreLock().Take(folder, folder.ReaderLock, shared: true);

    /// <summary>The right to remove.</summary>
    public static StoreLock ForSweeping(LocalStoreFolder folder) =>
        new StoreLock().Take(folder, folder.WriterLock, shared: false).Take(folder, folder.ReaderLock, shared: false);

    public void Dispose() => _held.ForEach(file => file.Dispose());

    private StoreLock Take(LocalStoreFolder folder, string path, bool shared)
    {
        try
        {
            _held.Add(new FileStream(path, FileMode.OpenOrCreate, shared ? FileAccess.Read : FileAccess.ReadWrite, shared ? FileShare.Read : FileShare.None));
            return this;
        }
        catch (Exception e) when (shared && e is UnauthorizedAccessException or IOException { HResult: Disks.Errno.EROFS })
        {
            // A store on a read-only medium, or one that belongs to someone else: nobody sweeps the first, and the second can be read.
            return this;
        }
        catch (IOException e) when (e is not (DirectoryNotFoundException or PathTooLongException) && e.HResult is Disks.Errno.EAGAIN)
        {
            Dispose();
            throw new FailureException("storeBusy", Fault.Disk,
                $"The store {folder.Root} is in use by another program that {(shared ? "removes images" : path == folder.ReaderLock ? "reads images" : "writes")}.",
                $"Wait until it has ended; `fuser {path}` names it.", e);
        }
        catch
        {
            Dispose();
            throw;
        }
    }
}
