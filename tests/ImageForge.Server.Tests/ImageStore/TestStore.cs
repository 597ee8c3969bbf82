using ImageForge.Server.ImageStore;

namespace ImageForge.Server.Tests.ImageStore;

/// <summary>A store in a folder of its own. <see cref="Crash"/> leaves the files as <c>kill -9</c> would.</summary>
internal sealed class TestStore : IDisposable
{
    private readonly string _root;
    private readonly ImageStoreOptions _options = new() { ReserveBytes = 0 };

    public TestStore()
    {
        _root = Directory.CreateTempSubdirectory("imageforge-store-").FullName;
        Open();
    }

    public StoreFolder Folder { get; private set; } = null!;

    public ChunkStore Chunks { get; private set; } = null!;

    public CountingSync Sync { get; } = new();

    public void Reopen()
    {
        Chunks.Dispose();
        Folder.Dispose();
        Open();
    }

    /// <summary>Opens the store again as a new process does after the old one was killed: nothing of the old one's end has run.</summary>
    public void Crash()
    {
        // The one thing the kernel does for a dead process.
        Folder.Dispose();
        Open();
    }

    public static int FilesIn(string folder) => Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Length;

    public void Dispose()
    {
        Chunks.Dispose();
        Folder.Dispose();
        Directory.Delete(_root, recursive: true);
    }

    private void Open()
    {
        Folder = new StoreFolder(_root);
        Chunks = new ChunkStore(Folder, Sync, _options, TimeProvider.System);
    }
}

/// <summary>Counts the syncs, and fails as a dying disk does when told so.</summary>
internal sealed class CountingSync : IStoreSync
{
    public int Calls { get; private set; }

    public int NextErrno { get; set; }

    public Action? During { get; set; }

    public int SyncFileSystem()
    {
        Calls++;
        During?.Invoke();
        var errno = NextErrno;
        NextErrno = 0;
        return errno;
    }
}
