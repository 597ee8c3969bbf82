using System.Globalization;
using ImageForge.Imaging.Chunks;
using Microsoft.Win32.SafeHandles;

namespace ImageForge.Server.ImageStore;

/// <summary>
/// Which chunks arrived since the last successful <c>syncfs</c>. After a power cut exactly these may be in place under their
/// name with content that never reached the disk, so each is hashed again before it counts as held.
/// <para>
/// A file <c>journal/‹number›</c> is ids of 32 bytes back to back, appended and fsynced <b>before</b> a chunk of that id may be
/// renamed into place; a torn tail therefore belongs to no chunk and is ignored. Ids are announced in batches (when a
/// capture asks what is missing), so that there is one fsync per batch and none per chunk.
/// </para>
/// </summary>
internal sealed class ChunkJournal : IDisposable
{
    private readonly StoreFolder _folder;
    private readonly Lock _lock = new();
    private readonly Dictionary<ChunkId, Entry> _entries = [];
    private SafeFileHandle _file;
    private long _length;
    private long _number;

    private ChunkJournal(StoreFolder folder, long number, IReadOnlyCollection<ChunkId> left)
    {
        _folder = folder;
        _number = number;
        foreach (var id in left)
            _entries[id] = new Entry(number, Stored: true, InFlight: 0);
        _file = Create(number, left, out _length);
    }

    /// <summary>Opens the journal of a store and hands out what an unclean end left: ids whose chunks exist and must be hashed again.</summary>
    public static ChunkJournal Open(StoreFolder folder, out IReadOnlyCollection<ChunkId> suspects)
    {
        var old = Directory.EnumerateFiles(folder.Journal).Select(Number).Where(n => n >= 0).Order().ToArray();
        var left = new HashSet<ChunkId>();
        foreach (var number in old)
        {
            var bytes = File.ReadAllBytes(PathOf(folder, number));
            for (var at = 0; at + ChunkId.Size <= bytes.Length; at += ChunkId.Size)
            {
                var id = new ChunkId(bytes.AsSpan(at, ChunkId.Size));
                if (File.Exists(folder.ChunkFile(id)))
                    left.Add(id);
            }
        }
        suspects = left;
        var journal = new ChunkJournal(folder, old.Length == 0 ? 1 : old[^1] + 1, left);
        foreach (var number in old)
            File.Delete(PathOf(folder, number));
        return journal;
    }

    /// <summary>Chunks stored and not yet known to be durable.</summary>
    public int StoredCount
    {
        get
        {
            lock (_lock)
                return _entries.Values.Count(static e => e.Stored);
        }
    }

    /// <summary>Makes it durable that chunks of these ids may appear from now on.</summary>
    public void Announce(IEnumerable<ChunkId> ids)
    {
        lock (_lock)
            AnnounceNeedsLock(ids);
    }

    /// <summary>Call before the rename of a chunk; pair with <see cref="End"/>.</summary>
    public void Begin(ChunkId id)
    {
        lock (_lock)
        {
            AnnounceNeedsLock([id]);
            _entries[id] = _entries[id] with { InFlight = _entries[id].InFlight + 1 };
        }
    }

    public void End(ChunkId id, bool stored)
    {
        lock (_lock)
        {
            var entry = _entries[id];
            _entries[id] = entry with { InFlight = entry.InFlight - 1, Stored = entry.Stored || stored };
        }
    }

    /// <summary>
    /// Starts a new file for what arrives from now on; everything stored before this call is in the returned checkpoint.
    /// After a successful <c>syncfs</c> call <see cref="Complete"/>.
    /// </summary>
    public Checkpoint Rotate()
    {
        lock (_lock)
        {
            var stored = _entries.Where(static e => e.Value.Stored).Select(static e => e.Key).ToArray();
            // Announced and never sent twice over: the capture is gone. If it is not, its next upload announces again.
            var forgotten = _entries.Where(e => e.Value is { Stored: false, InFlight: 0 } && e.Value.Number < _number - 1).Select(static e => e.Key).ToArray();
            foreach (var id in forgotten)
                _entries.Remove(id);
            var next = _number + 1;
            // An upload of a stored id may be under way again; its rename comes after the sync, so it is carried over as well.
            var carried = _entries.Where(static e => !e.Value.Stored || e.Value.InFlight > 0).Select(static e => e.Key).ToArray();
            var file = Create(next, carried, out var length);
            _file.Dispose();
            (_file, _length, _number) = (file, length, next);
            return new Checkpoint(next, stored);
        }
    }

    /// <summary>The chunks of <paramref name="checkpoint"/> are durable (or, after a failed sync, removed): forgets them.</summary>
    public void Complete(Checkpoint checkpoint)
    {
        lock (_lock)
        {
            foreach (var id in checkpoint.Stored)
            {
                if (!_entries.TryGetValue(id, out var entry))
                    continue;
                if (entry.InFlight > 0)
                    _entries[id] = entry with { Stored = false };
                else
                    _entries.Remove(id);
            }
            foreach (var number in Directory.EnumerateFiles(_folder.Journal).Select(Number).Where(n => n >= 0 && n < checkpoint.Number))
                File.Delete(PathOf(_folder, number));
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _file.Dispose();
            // Clean end: nothing stored is left undurable, so the next start has nothing to hash.
            if (!_entries.Values.Any(static e => e.Stored))
                File.Delete(PathOf(_folder, _number));
        }
    }

    private void AnnounceNeedsLock(IEnumerable<ChunkId> ids)
    {
        var fresh = ids.Where(id => !_entries.ContainsKey(id)).Distinct().ToArray();
        if (fresh.Length == 0)
            return;
        try
        {
            Append(_file, _length, fresh);
        }
        catch
        {
            // A half-written record must not shift those that follow.
            RandomAccess.SetLength(_file, _length);
            throw;
        }
        _length += (long)fresh.Length * ChunkId.Size;
        foreach (var id in fresh)
            _entries[id] = new Entry(_number, Stored: false, InFlight: 0);
    }

    private SafeFileHandle Create(long number, IReadOnlyCollection<ChunkId> ids, out long length)
    {
        var path = PathOf(_folder, number);
        var file = File.OpenHandle(path, FileMode.Create, FileAccess.Write, FileShare.Read);
        try
        {
            Append(file, 0, ids);
            StoreSync.FlushFolder(_folder.Journal);
        }
        catch
        {
            file.Dispose();
            File.Delete(path);
            throw;
        }
        length = (long)ids.Count * ChunkId.Size;
        return file;
    }

    private static void Append(SafeFileHandle file, long at, IReadOnlyCollection<ChunkId> ids)
    {
        var bytes = new byte[ids.Count * ChunkId.Size];
        var offset = 0;
        foreach (var id in ids)
        {
            id.CopyTo(bytes.AsSpan(offset));
            offset += ChunkId.Size;
        }
        RandomAccess.Write(file, bytes, at);
        RandomAccess.FlushToDisk(file);
    }

    private static string PathOf(StoreFolder folder, long number) =>
        Path.Combine(folder.Journal, number.ToString("d12", CultureInfo.InvariantCulture));

    private static long Number(string path) =>
        long.TryParse(Path.GetFileName(path), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : -1;

    private readonly record struct Entry(long Number, bool Stored, int InFlight);

    /// <param name="Number">Journal files below this number are covered.</param>
    internal sealed record Checkpoint(long Number, IReadOnlyList<ChunkId> Stored);
}
