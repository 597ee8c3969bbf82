using System.Text.Json;
using ImageForge.Contracts;
using ImageForge.Imaging.Capture;
using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Manifests;

namespace ImageForge.Imaging.LocalStore;

/// <summary>
/// Takes the chunks of one capture or import and seals them as a version. Chunks wait in <see cref="ChunkStaging"/> until a
/// <c>syncfs</c>, so what lies below <c>chunks/</c> is always durable. A run that ends without a seal leaves no version.
/// </summary>
public sealed class LocalStoreWriter : IChunkSink, IDisposable
{
    /// <summary>Of the names of temporary files and folders; a GUID follows.</summary>
    public const string TemporaryPrefix = "import-";

    private readonly LocalStore _store;
    private readonly LocalStoreFolder _folder;
    private readonly TimeProvider _time;
    private readonly StoreLock _lock;
    private readonly ChunkStaging _staging;

    internal LocalStoreWriter(LocalStore store, LocalStoreFolder folder, TimeProvider time)
    {
        (_store, _folder, _time, _lock) = (store, folder, time, StoreLock.ForWriting(folder));
        _staging = new ChunkStaging(folder);
        ClearTemporary();
    }

    /// <summary>Bytes of frames that were new to the store.</summary>
    public long NewBytes => _staging.NewBytes;

    public ValueTask<bool[]> MissingAsync(IReadOnlyList<ChunkId> ids, CancellationToken cancel) =>
        ValueTask.FromResult(ids.Select(id => !_staging.Holds(id)).ToArray());

    public ValueTask StoreAsync(ChunkId id, int plainLength, ReadOnlyMemory<byte> frame, CancellationToken cancel) =>
        _staging.StoreAsync(id, frame, cancel);

    /// <summary>Every chunk durable → manifest durable → the version's entry. A disk captured twice without a change in between gives two versions: a moment was to be kept.</summary>
    /// <exception cref="FailureException"><c>imageName</c>, <c>chunkMissing</c>, <c>storeFull</c>.</exception>
    /// <param name="captured">One result per disk, in order.</param>
    public LocalImageVersion Seal(string image, string source, IReadOnlyList<CaptureResult> captured)
    {
        if (!ImageNames.IsValid(image))
            throw new FailureException("imageName", Fault.Image, $"\"{image}\" is not an image name.", $"An image name has {ImageNames.Rule}.");
        return StoreFailures.Guard(_folder, () =>
        {
            _staging.MakeDurable();
            var (chunks, stored) = Count(captured.SelectMany(disk => disk.Manifest.DataChunks()));
            var file = captured.Count == 1 ? captured[0].ManifestBytes : DiskSetWriter.Write([.. captured.Select(disk => ((string?)null, disk.ManifestBytes))]);
            var hash = ManifestHash.Of(file);
            Durable.WriteFile(_folder.ManifestFile(hash), file);
            var version = new LocalImageVersion(image, _store.NextNumber(image), hash, _time.GetUtcNow(), source,
                captured.Sum(disk => disk.Manifest.DiskSizeBytes), captured.Sum(disk => disk.Manifest.UsedBytes), chunks, stored);
            Directory.CreateDirectory(_folder.ImageFolder(image));
            Durable.FlushFolder(_folder.Catalogue);
            _staging.RemoveLeftovers();
            // Before the entry, not after it: once it may be there, nothing it names is removed, whatever fails.
            _staging.Keep();
            Durable.WriteFile(_folder.VersionFile(image, version.Number), JsonSerializer.SerializeToUtf8Bytes(version, LocalStoreJson.Default.LocalImageVersion));
            return version;
        });
    }

    /// <summary>Removes what this run brought and no version needs: for an import whose input turned out to be bad. After a seal it removes nothing.</summary>
    public void Discard() => _staging.Discard(SealedChunks());

    public void Dispose()
    {
        _staging.Dispose();
        _lock.Dispose();
    }

    private Func<ChunkId, bool> SealedChunks()
    {
        try
        {
            return _store.AllVersions().DistinctBy(version => version.ManifestHash).SelectMany(version => _store.ReadImage(version).DataChunks())
                .Select(chunk => chunk.Id).ToHashSet().Contains;
        }
        catch (Exception e) when (e is FailureException or IOException or UnauthorizedAccessException)
        {
            // Nobody knows what that version needs. What is left over goes with the next sweep.
            return _ => true;
        }
    }

    /// <summary>What imports that were killed left; the lock says that nobody uses it.</summary>
    private void ClearTemporary()
    {
        _folder.CreateTemporary();
        foreach (var left in new DirectoryInfo(_folder.Temporary).EnumerateFileSystemInfos(TemporaryPrefix + "*"))
        {
            if (!Guid.TryParseExact(left.Name.AsSpan(TemporaryPrefix.Length), "N", out _))
                continue;
            if (left is DirectoryInfo { LinkTarget: null } folder)
                folder.Delete(recursive: true);
            else
                left.Delete();
        }
    }

    /// <summary>Counting looks at every file once more: a chunk that is not there must not be sealed.</summary>
    private (long Chunks, long StoredBytes) Count(IEnumerable<(ChunkId Id, int PlainLength)> all)
    {
        var seen = new HashSet<ChunkId>();
        long stored = 0;
        foreach (var (id, _) in all)
        {
            if (!seen.Add(id))
                continue;
            var file = new FileInfo(_folder.ChunkFile(id));
            stored += file.Exists ? file.Length : throw ChunkFailures.Missing(id);
        }
        return (seen.Count, stored);
    }
}
