using System.Globalization;
using System.Security.Cryptography;
using ImageForge.Imaging.Chunks;
using ImageForge.Server.Configuration;

namespace ImageForge.Server.ImageStore;

/// <summary>
/// The paths of the image store. Everything lies in one file system, so that a finished file moves into place by a rename:
/// <code>
/// chunks/ab/cd/‹64 hex›   one zstd frame          manifests/‹64 hex›   sealed manifests
/// incoming/‹random›       uploads under way       quarantine/‹64 hex›  chunks whose content went bad
/// journal/‹number›        see ChunkJournal          index/‹64 hex›       see ChunkIndex
/// lock                    held by the one server that uses the store
/// </code>
/// </summary>
internal sealed class StoreFolder : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly FileStream _lock;

    /// <exception cref="StartUpException">Another server uses this store: two would remove each other's uploads.</exception>
    public StoreFolder(string root)
    {
        Root = Path.GetFullPath(root);
        foreach (var folder in (string[])[Root, Chunks, Manifests, Incoming, Quarantine, Journal, Index])
            Directory.CreateDirectory(folder, OwnerOnly);
        _lock = Lock(Path.Combine(Root, "lock"));
    }

    public string Root { get; }

    public string Chunks => Path.Combine(Root, "chunks");

    public string Manifests => Path.Combine(Root, "manifests");

    public string Incoming => Path.Combine(Root, "incoming");

    public string Quarantine => Path.Combine(Root, "quarantine");

    public string Journal => Path.Combine(Root, "journal");

    public string Index => Path.Combine(Root, "index");

    public string ChunkFile(ChunkId id) => ChunkPaths.Of(Chunks, id);

    /// <summary>Where a manifest of this hash lies; <paramref name="hash"/> is 64 lower-case hex digits.</summary>
    /// <exception cref="ArgumentException">Anything else: what reaches a path must have one spelling.</exception>
    public string ManifestFile(string hash) => Named(Manifests, hash);

    /// <summary>Where the index of the manifest of this hash lies.</summary>
    /// <exception cref="ArgumentException">As for <see cref="ManifestFile"/>.</exception>
    public string IndexFile(string hash) => Named(Index, hash);

    public string QuarantineFile(ChunkId id) => Path.Combine(Quarantine, id.ToString());

    public string NewIncomingFile() => Path.Combine(Incoming, RandomNumberGenerator.GetHexString(24, lowercase: true));

    /// <summary>Bytes that may still be written to the file system of the store.</summary>
    public long FreeBytes() => new DriveInfo(Root).AvailableFreeSpace;

    /// <summary>Uploads of a process that is gone; returns how many were removed.</summary>
    public int RemoveDeadUploads()
    {
        var removed = 0;
        foreach (var file in Directory.EnumerateFiles(Incoming))
        {
            File.Delete(file);
            removed++;
        }
        return removed;
    }

    /// <summary>The folders <c>ab/…</c> that exist, ascending; most of a small store do not.</summary>
    public IReadOnlyList<byte> FoldersIn(byte first)
    {
        var path = Path.Combine(Chunks, first.ToString("x2", CultureInfo.InvariantCulture));
        if (!Directory.Exists(path))
            return [];
        return [.. Directory.EnumerateDirectories(path)
            .Select(static d => byte.TryParse(Path.GetFileName(d.AsSpan()), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var second) ? second : -1)
            .Where(static second => second >= 0).Select(static second => (byte)second).Distinct().Order()];
    }

    /// <summary>The chunks of one folder <c>ab/cd</c>, unsorted; names that are no chunk of it are passed over.</summary>
    public IEnumerable<ChunkId> ChunksIn(byte first, byte second)
    {
        var path = Path.Combine(Chunks, first.ToString("x2", CultureInfo.InvariantCulture), second.ToString("x2", CultureInfo.InvariantCulture));
        if (!Directory.Exists(path))
            yield break;
        foreach (var file in Directory.EnumerateFiles(path))
        {
            if (ChunkId.TryParse(Path.GetFileName(file.AsSpan()), out var id) && ChunkFile(id) == file)
                yield return id;
        }
    }

    public void Dispose() => _lock.Dispose();

    private static string Named(string folder, string hash) =>
        ChunkId.TryParse(hash, out _) ? Path.Combine(folder, hash) : throw new ArgumentException("not a SHA-256 in lower-case hex", nameof(hash));

    /// <summary>
    /// The kernel gives the lock back when the process ends, however it ends. A predecessor that is just ending, or a child of it
    /// between fork and exec, may hold it for a moment more.
    /// </summary>
    private static FileStream Lock(string path)
    {
        const int attempts = 20;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException e) when (e is not (DirectoryNotFoundException or PathTooLongException) && !DiskFull.Is(e))
            {
                if (attempt == attempts)
                    throw new StartUpException(
                        $"The image store {Path.GetDirectoryName(path)} is in use by another server; stop that one (`fuser {path}` names it), or choose another folder with --data-folder.", e);
                using var pause = new ManualResetEventSlim();
                pause.Wait(TimeSpan.FromMilliseconds(100));
            }
        }
    }
}
