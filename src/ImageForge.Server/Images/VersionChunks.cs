using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Manifests;
using ImageForge.Server.ImageStore;

namespace ImageForge.Server.Images;

/// <summary>The different chunks of one version, sorted, so that "does this belong to it" is a binary search.</summary>
internal sealed class ChunkSet
{
    private readonly ChunkId[] _ids;

    public ChunkSet(ImageDisks image)
    {
        var ids = image.DataChunks().Select(static c => c.Id).ToArray();
        Array.Sort(ids);
        var count = 0;
        foreach (var id in ids)
        {
            if (count == 0 || ids[count - 1] != id)
                ids[count++] = id;
        }
        _ids = ids[..count];
    }

    public int Count => _ids.Length;

    public IReadOnlyList<ChunkId> Ids => _ids;

    public bool Contains(ChunkId id) => Array.BinarySearch(_ids, id) >= 0;
}

/// <summary>
/// Which chunks a version has, for the versions being deployed: read from the manifest once, kept while there is room (32 bytes per chunk),
/// the one unused for longest goes first.
/// </summary>
internal sealed class VersionChunks(ManifestFiles manifests, ChunkStore store, TimeProvider time)
{
    private const long MaxIds = 8 << 20;
    private static readonly TimeSpan CheckedFor = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);
    private long _tick;

    /// <summary>The chunks of a sealed manifest; null: the manifest is gone or unreadable.</summary>
    public async ValueTask<ChunkSet?> OfAsync(string manifestHash, CancellationToken cancellationToken) =>
        (await EntryAsync(manifestHash).WaitAsync(cancellationToken))?.Chunks;

    /// <summary>Chunks of a version that the store lacks. Looked up again after 30 s only: a room starts a hundred deploys at once.</summary>
    public async ValueTask<IReadOnlyList<ChunkId>?> MissingAsync(string manifestHash, CancellationToken cancellationToken)
    {
        if (await EntryAsync(manifestHash).WaitAsync(cancellationToken) is not { } loaded)
            return null;
        if (loaded.CompleteAt is { } at && time.GetElapsedTime(at) < CheckedFor)
            return [];
        var missing = await Task.Run(() => loaded.Chunks.Ids.Where(id => !store.Holds(id)).ToArray(), cancellationToken);
        if (missing.Length == 0)
            loaded.CompleteAt = time.GetTimestamp();
        return missing;
    }

    /// <summary>A chunk of it turned out bad or missing: look again before the next deploy starts.</summary>
    public void Doubt(string manifestHash)
    {
        lock (_lock)
        {
            if (_entries.TryGetValue(manifestHash, out var entry) && entry.Loading is { IsCompletedSuccessfully: true, Result: { } loaded })
                loaded.CompleteAt = null;
        }
    }

    private Task<Loaded?> EntryAsync(string manifestHash)
    {
        lock (_lock)
        {
            if (!_entries.TryGetValue(manifestHash, out var entry) || entry.Loading is { IsCompleted: true } done && (!done.IsCompletedSuccessfully || done.Result is null))
                _entries[manifestHash] = entry = new Entry(Task.Run(() => LoadAsync(manifestHash)));
            entry.LastUse = ++_tick;
            EvictNeedsLock(entry);
            return entry.Loading;
        }
    }

    private async Task<Loaded?> LoadAsync(string manifestHash)
    {
        var bytes = await manifests.ReadAsync(manifestHash, CancellationToken.None);
        // The name is the hash: a manifest that rotted on the disk must not decide what a deploy may read.
        if (bytes is null || ManifestHash.Of(bytes) != manifestHash || !ImageDisks.TryParse(bytes, out var image, out _))
            return null;
        return new Loaded(new ChunkSet(image));
    }

    private void EvictNeedsLock(Entry keep)
    {
        while (_entries.Values.Sum(static e => e.Ids) > MaxIds)
        {
            var oldest = _entries.Where(e => e.Value != keep).OrderBy(static e => e.Value.LastUse).Select(static e => e.Key).FirstOrDefault();
            if (oldest is null)
                return;
            _entries.Remove(oldest);
        }
    }

    private sealed class Loaded(ChunkSet chunks)
    {
        public ChunkSet Chunks { get; } = chunks;

        public long? CompleteAt { get; set; }
    }

    private sealed class Entry(Task<Loaded?> loading)
    {
        public Task<Loaded?> Loading { get; } = loading;

        public long LastUse { get; set; }

        public long Ids => Loading is { IsCompletedSuccessfully: true, Result: { } loaded } ? loaded.Chunks.Count : 0;
    }
}
