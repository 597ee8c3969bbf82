using System.Security.Cryptography;
using ImageForge.Imaging.Chunks;

namespace ImageForge.Server.ImageStore;

/// <summary>
/// The paths of the image store. Everything lies in one file system, so that a finished file moves into place by a rename:
/// <code>
/// chunks/ab/cd/‹64 hex›   one zstd frame          manifests/‹64 hex›   sealed manifests
/// incoming/‹random›       uploads under way       quarantine/‹64 hex›  chunks whose content went bad
/// journal/‹number›        see ChunkJournal
/// </code>
/// </summary>
internal sealed class StoreFolder
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    public StoreFolder(string root)
    {
        Root = Path.GetFullPath(root);
        foreach (var folder in (string[])[Root, Chunks, Manifests, Incoming, Quarantine, Journal])
            Directory.CreateDirectory(folder, OwnerOnly);
    }

    public string Root { get; }

    public string Chunks => Path.Combine(Root, "chunks");

    public string Manifests => Path.Combine(Root, "manifests");

    public string Incoming => Path.Combine(Root, "incoming");

    public string Quarantine => Path.Combine(Root, "quarantine");

    public string Journal => Path.Combine(Root, "journal");

    public string ChunkFile(ChunkId id) => ChunkPaths.Of(Chunks, id);

    /// <summary>Where a manifest of this hash lies; <paramref name="hash"/> is 64 lower-case hex digits.</summary>
    /// <exception cref="ArgumentException">Anything else: what reaches a path must have one spelling.</exception>
    public string ManifestFile(string hash) =>
        ChunkId.TryParse(hash, out _) ? Path.Combine(Manifests, hash) : throw new ArgumentException("not a SHA-256 in lower-case hex", nameof(hash));

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
}
