using ImageForge.Imaging.Chunks;
using ImageForge.Server.Images;
using ImageForge.Server.ImageStore;

namespace ImageForge.Server.StoreCare;

/// <summary>
/// What sealed versions need of one 256th of all ids (those that begin with one byte). Memory is bounded by the different chunks of that
/// part: about 10 MB for a store of 40 million chunks, however many versions share them.
/// </summary>
internal sealed class MarkedPartition
{
    private const int Shared = -1;

    private readonly Dictionary<ChunkId, (int Owner, uint Bytes)> _chunks = [];
    private readonly List<VersionManifest> _versions = [];
    private ChunkId[]? _sorted;
    private int _next;

    /// <summary>Manifests that were read.</summary>
    public HashSet<string> Manifests { get; } = new(StringComparer.Ordinal);

    /// <summary>Versions whose chunks nobody can tell: neither manifest nor index is sound.</summary>
    public List<VersionManifest> Unreadable { get; } = [];

    /// <summary>Those whose second byte is <paramref name="second"/>, ascending. Ask for one folder after the other, never back.</summary>
    public ChunkId[] InFolder(byte second)
    {
        _sorted ??= [.. _chunks.Keys.Order()];
        // A whole part is a few hundred thousand ids; looking through all of them for each of its folders would be felt.
        var from = Array.FindIndex(_sorted, _next, id => SecondByte(id) >= second);
        if (from < 0 || SecondByte(_sorted[from]) != second)
            return [];
        var to = from;
        while (to < _sorted.Length && SecondByte(_sorted[to]) == second)
            to++;
        _next = to;
        return _sorted[from..to];
    }

    public static async Task<MarkedPartition> ReadAsync(
        ChunkIndexes indexes, IReadOnlyList<VersionManifest> versions, byte partition, CancellationToken cancellationToken)
    {
        var marked = new MarkedPartition();
        foreach (var same in versions.GroupBy(static v => v.ManifestHash, StringComparer.Ordinal))
        {
            if (await indexes.ReadAsync(same.Key, partition, cancellationToken) is not { } chunks)
            {
                marked.Unreadable.AddRange(same);
                continue;
            }
            marked.Manifests.Add(same.Key);
            marked.Add([.. same], chunks);
        }
        return marked;
    }

    public bool Contains(ChunkId id) => _chunks.ContainsKey(id);

    /// <summary>Adds to each version's sum the bytes of its chunks that no other version has.</summary>
    public void AddUniqueBytes(Dictionary<long, long> sums)
    {
        foreach (var (owner, bytes) in _chunks.Values)
        {
            if (owner != Shared)
                sums[_versions[owner].VersionId] += bytes;
        }
    }

    private static byte SecondByte(ChunkId id)
    {
        Span<byte> bytes = stackalloc byte[ChunkId.Size];
        id.CopyTo(bytes);
        return bytes[1];
    }

    private void Add(IReadOnlyList<VersionManifest> versions, IndexedChunk[] chunks)
    {
        // Versions with the same manifest share every chunk.
        var owner = Shared;
        if (versions is [var only])
        {
            owner = _versions.Count;
            _versions.Add(only);
        }
        foreach (var chunk in chunks)
        {
            if (!_chunks.TryAdd(chunk.Id, (owner, chunk.StoredBytes)))
                _chunks[chunk.Id] = (Shared, chunk.StoredBytes);
        }
    }
}
