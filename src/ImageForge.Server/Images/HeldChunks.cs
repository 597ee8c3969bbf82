using ImageForge.Imaging.Chunks;
using ImageForge.Server.ImageStore;

namespace ImageForge.Server.Images;

/// <summary>Which chunks of a version the store holds, with their stored sizes: looked up once, for the seal and for the index.</summary>
internal sealed class HeldChunks
{
    private readonly IReadOnlyList<ChunkId> _ids;
    private readonly uint[] _lengths;

    public HeldChunks(ChunkStore store, ChunkSet chunks, CancellationToken cancellationToken)
    {
        _ids = chunks.Ids;
        _lengths = new uint[_ids.Count];
        for (var i = 0; i < _lengths.Length; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            _lengths[i] = LengthOf(store, _ids[i]);
        }
    }

    public IReadOnlyList<ChunkId> Missing => [.. _ids.Where((_, i) => _lengths[i] == 0)];

    public long StoredBytes => _lengths.Sum(static l => (long)l);

    public IReadOnlyList<IndexedChunk> Indexed => [.. _ids.Select((id, i) => new IndexedChunk(id, _lengths[i]))];

    /// <param name="all">Also at those that were held.</param>
    public void LookAgain(ChunkStore store, bool all = false)
    {
        for (var i = 0; i < _lengths.Length; i++)
        {
            if (all || _lengths[i] == 0)
                _lengths[i] = LengthOf(store, _ids[i]);
        }
    }

    /// <summary>Stored bytes of the chosen ones.</summary>
    public long BytesOf(bool[] chosen) => _lengths.Where((_, i) => chosen[i]).Sum(static l => (long)l);

    /// <summary>0: not held. A frame is never empty.</summary>
    private static uint LengthOf(ChunkStore store, ChunkId id) => store.Holds(id) ? (uint)(store.StoredLength(id) ?? 0) : 0;
}
