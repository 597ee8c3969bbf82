using System.Globalization;
using ImageForge.Imaging.Chunks;

namespace ImageForge.Imaging.LocalStore;

/// <summary>
/// The paths of a local store; chunks and manifests lie as in the server's store. Everything is in one file system, so that a
/// finished file moves into place by a rename:
/// <code>
/// chunks/ab/cd/‹64 hex›   one zstd frame, always durable        catalogue/‹image›/‹number›.json     a sealed version
/// manifests/‹64 hex›      manifests of sealed versions          catalogue/‹image›/‹number›.deleted  a number that was used
/// staging/‹64 hex›-‹n›    chunks that are not durable yet       quarantine/‹64 hex›                 chunks whose content went bad
/// tmp/import-‹GUID›       lives as long as an import            lock                                held by the one writer
/// readers                 shared by deploys
/// </code>
/// </summary>
internal sealed class LocalStoreFolder(string root)
{
    public const string VersionSuffix = ".json", DeletedSuffix = ".deleted";

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    public string Root { get; } = Path.GetFullPath(root);

    public string Chunks => Path.Combine(Root, "chunks");

    public string Manifests => Path.Combine(Root, "manifests");

    public string Catalogue => Path.Combine(Root, "catalogue");

    public string Staging => Path.Combine(Root, "staging");

    public string Quarantine => Path.Combine(Root, "quarantine");

    public string Temporary => Path.Combine(Root, "tmp");

    public string WriterLock => Path.Combine(Root, "lock");

    public string ReaderLock => Path.Combine(Root, "readers");

    public bool Exists => Directory.Exists(Catalogue) && Directory.Exists(Chunks);

    /// <summary>Images hold what users keep secret: the folders are the owner's only.</summary>
    public void Create()
    {
        foreach (var folder in (string[])[Root, Chunks, Manifests, Catalogue, Staging, Quarantine])
            Directory.CreateDirectory(folder, OwnerOnly);
    }

    /// <summary>Made by the first writer: stores of earlier builds have none.</summary>
    public void CreateTemporary() => Directory.CreateDirectory(Temporary, OwnerOnly);

    public string ChunkFile(ChunkId id) => ChunkPaths.Of(Chunks, id);

    /// <param name="hash">64 lower-case hex digits, which the catalogue's reader has checked.</param>
    public string ManifestFile(string hash) => Path.Combine(Manifests, hash);

    public string QuarantineFile(ChunkId id) => Path.Combine(Quarantine, id.ToString());

    public string ImageFolder(string name) => Path.Combine(Catalogue, name);

    public string VersionFile(string name, int number) => Path.Combine(ImageFolder(name), number.ToString(CultureInfo.InvariantCulture) + VersionSuffix);

    public string DeletedFile(string name, int number) => Path.Combine(ImageFolder(name), number.ToString(CultureInfo.InvariantCulture) + DeletedSuffix);
}
