using System.Collections.Concurrent;
using System.Globalization;
using ImageForge.Imaging.Chunks;
using Microsoft.Win32.SafeHandles;

namespace ImageForge.Imaging.LocalStore;

/// <summary>
/// Chunks that are not durable yet. They get their place below <c>chunks/</c> only after a <c>syncfs</c>: a name there never shows
/// content that a power cut can take away, and no journal is needed. What a run that was killed left behind is hashed before it counts.
/// </summary>
internal sealed class ChunkStaging : IDisposable
{
    /// <summary>Chunks between two <c>syncfs</c>: what the next run has to hash again at most, and the names in one folder.</summary>
    private const int Batch = 4096;

    private readonly LocalStoreFolder _folder;
    private readonly SafeFileHandle _root;
    private readonly ConcurrentDictionary<ChunkId, string> _staged = new();
    private readonly ConcurrentDictionary<ChunkId, string> _leftovers = new();
    private readonly ConcurrentBag<ChunkId> _brought = [];
    private readonly Lock _syncing = new();
    private long _serial, _newBytes;

    public ChunkStaging(LocalStoreFolder folder)
    {
        _folder = folder;
        _root = Durable.OpenFolder(folder.Root);
        Directory.CreateDirectory(folder.Staging);
        foreach (var file in Directory.EnumerateFiles(folder.Staging))
        {
            var name = Path.GetFileName(file.AsSpan());
            if (name.Length > 2 * ChunkId.Size && ChunkId.TryParse(name[..(2 * ChunkId.Size)], out var id) && _leftovers.TryAdd(id, file))
                continue;
            File.Delete(file);
        }
    }

    public long NewBytes => Interlocked.Read(ref _newBytes);

    public bool Holds(ChunkId id) => _staged.ContainsKey(id) || File.Exists(_folder.ChunkFile(id)) || Adopt(id);

    public async ValueTask StoreAsync(ChunkId id, ReadOnlyMemory<byte> frame, CancellationToken cancel)
    {
        // A name of its own for each: two senders of one chunk do not meet in one file.
        var path = Path.Combine(_folder.Staging, string.Create(CultureInfo.InvariantCulture, $"{id}-{Environment.ProcessId}.{Interlocked.Increment(ref _serial)}"));
        try
        {
            using (var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, FileOptions.None, frame.Length))
                await RandomAccess.WriteAsync(file, frame, 0, cancel);
        }
        catch (Exception e)
        {
            File.Delete(path);
            if (e is IOException or UnauthorizedAccessException)
                throw StoreFailures.Of(_folder, e);
            throw;
        }
        if (!_staged.TryAdd(id, path))
            File.Delete(path);
        else
            Interlocked.Add(ref _newBytes, frame.Length);
        if (_staged.Count >= Batch)
            StoreFailures.Guard(_folder, () => MakeDurable(Batch));
    }

    /// <summary>For a seal: also what an earlier run placed and was killed before it had synced the names.</summary>
    public void MakeDurable()
    {
        lock (_syncing)
            if (!MakeDurable(1))
                Durable.SyncFileSystem(_root, _folder.Root);
    }

    /// <summary>What an earlier run left and this one did not ask for.</summary>
    public void RemoveLeftovers()
    {
        foreach (var path in _leftovers.Values)
            File.Delete(path);
        _leftovers.Clear();
    }

    /// <summary>What this run brought belongs to a version now: from here on there is nothing to discard.</summary>
    public void Keep() => _brought.Clear();

    /// <param name="isSealed">Chunks of sealed versions: this run may have put one back that was missing.</param>
    public void Discard(Func<ChunkId, bool> isSealed)
    {
        foreach (var path in _staged.Values)
            File.Delete(path);
        _staged.Clear();
        foreach (var id in _brought.Where(id => !isSealed(id)))
            File.Delete(_folder.ChunkFile(id));
        _brought.Clear();
    }

    public void Dispose() => _root.Dispose();

    private bool MakeDurable(int least)
    {
        lock (_syncing)
        {
            var batch = _staged.ToArray();
            if (batch.Length < least)
                return false;
            // Once for the content, before it has its name; once for the names, before a version relies on them.
            Durable.SyncFileSystem(_root, _folder.Root);
            foreach (var (id, path) in batch)
            {
                var place = _folder.ChunkFile(id);
                Directory.CreateDirectory(Path.GetDirectoryName(place)!);
                File.Move(path, place, overwrite: true);
                _brought.Add(id);
                _staged.TryRemove(id, out _);
            }
            Durable.SyncFileSystem(_root, _folder.Root);
            return true;
        }
    }

    private bool Adopt(ChunkId id)
    {
        if (!_leftovers.TryRemove(id, out var path))
            return false;
        var frame = File.ReadAllBytes(path);
        if (ZstdDecompressor.ClaimedLength(frame) is > 0 and <= ChunkSizes.Largest and var length && ChunkFrame.Verify(id, (int)length, frame) && _staged.TryAdd(id, path))
            return true;
        File.Delete(path);
        return _staged.ContainsKey(id);
    }
}
