using System.Collections.Concurrent;
using ImageForge.Imaging.Chunks;

namespace ImageForge.Server.ImageStore;

/// <summary>
/// How chunks leave the store. A sweep first <em>condemns</em> what no version names: from then on the store answers that it lacks it. Then
/// it asks everybody who may count on chunks, and removes only what nobody does. Whoever was told <em>held</em> had its lease recorded
/// before, so the sweep sees the lease; whoever records its lease later is told that the chunk is missing and sends it again.
/// </summary>
internal sealed partial class ChunkStore
{
    private readonly ConcurrentDictionary<ChunkId, byte> _condemned = new();
    private int _removals;

    // What is stored again must not be removed in the same moment.
    private readonly Lock[] _stripes = [.. Enumerable.Range(0, 64).Select(static _ => new Lock())];

    /// <summary>Grows with each chunk that a sweep removes. Whoever checked what is held before it waited compares it after.</summary>
    public int Removals => Volatile.Read(ref _removals);

    /// <summary>From now on these are not held, until they are spared, removed or stored again.</summary>
    public void Condemn(IEnumerable<ChunkId> ids)
    {
        foreach (var id in ids)
            _condemned[id] = 0;
    }

    /// <summary>These stay after all.</summary>
    public void Spare(IEnumerable<ChunkId> ids)
    {
        foreach (var id in ids)
            _condemned.TryRemove(id, out _);
    }

    /// <summary>Removes a condemned chunk. Returns the bytes of its frame; null: it was stored again or is gone.</summary>
    public long? RemoveCondemned(ChunkId id)
    {
        lock (StripeOf(id))
        {
            if (!_condemned.ContainsKey(id))
                return null;
            Interlocked.Increment(ref _removals);
            var length = StoredLength(id);
            File.Delete(_folder.ChunkFile(id));
            _suspects.TryRemove(id, out _);
            // Last: a name that could not be removed must not pass as held without its lease being looked at.
            _condemned.TryRemove(id, out _);
            return length;
        }
    }

    /// <summary>
    /// Hashes a chunk that may be bad; if it is, moves it out of the way so that whoever has it is asked for it. One that cannot be read stays:
    /// a disk that fails for a moment would otherwise cost every chunk that was asked for in it.
    /// </summary>
    public ChunkVerdict VerifyOrQuarantine(ChunkId id)
    {
        lock (StripeOf(id))
        {
            // Inside: of two that found it bad, the second would move away what a capture has just stored in its place.
            var verdict = Verify(id);
            if (verdict == ChunkVerdict.Unreadable)
                verdict = Verify(id);
            if (verdict == ChunkVerdict.Corrupt)
            {
                Interlocked.Increment(ref _losses);
                // Its time in quarantine begins now; it may have lain in the store for years. Before the move: a sweep must not see it with the old time.
                File.SetLastWriteTimeUtc(_folder.ChunkFile(id), _time.GetUtcNow().UtcDateTime);
                File.Move(_folder.ChunkFile(id), _folder.QuarantineFile(id), overwrite: true);
                _suspects.TryRemove(id, out _);
            }
            return verdict;
        }
    }

    /// <summary>Hashes what was set aside once more before it is destroyed. If it is right after all and the store lacks it, it goes back.</summary>
    /// <param name="takeBack">False: only look.</param>
    /// <returns>Whether it may be removed: false when it went back, would, or cannot be read now.</returns>
    public bool MayDestroyQuarantined(ChunkId id, bool takeBack)
    {
        var path = _folder.QuarantineFile(id);
        var verdict = Verify(id, File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete), fromDisk: true, out _);
        if (verdict != ChunkVerdict.Good)
            return verdict != ChunkVerdict.Unreadable;
        if (Holds(id))
            return true;
        if (takeBack)
            MoveIntoPlace(id, path);
        return false;
    }

    private Lock StripeOf(ChunkId id) => _stripes[(uint)id.GetHashCode() % _stripes.Length];
}
