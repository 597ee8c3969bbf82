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

    // What is stored again must not be removed in the same moment.
    private readonly Lock[] _stripes = [.. Enumerable.Range(0, 64).Select(static _ => new Lock())];

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
            var length = StoredLength(id);
            File.Delete(_folder.ChunkFile(id));
            _suspects.TryRemove(id, out _);
            // Last: a name that could not be removed must not pass as held without its lease being looked at.
            _condemned.TryRemove(id, out _);
            return length;
        }
    }

    /// <summary>Hashes a chunk that may be bad; if it is, moves it out of the way so that whoever has it is asked for it.</summary>
    public ChunkVerdict VerifyOrQuarantine(ChunkId id)
    {
        lock (StripeOf(id))
        {
            // Inside: of two that found it bad, the second would move away what a capture has just stored in its place.
            var verdict = Verify(id);
            if (verdict == ChunkVerdict.Corrupt)
            {
                Interlocked.Increment(ref _losses);
                File.Move(_folder.ChunkFile(id), _folder.QuarantineFile(id), overwrite: true);
                _suspects.TryRemove(id, out _);
            }
            return verdict;
        }
    }

    private Lock StripeOf(ChunkId id) => _stripes[(uint)id.GetHashCode() % _stripes.Length];
}
