using System.Numerics;
using ImageForge.Imaging.Chunks;

namespace ImageForge.Imaging.Manifests;

/// <summary>A volume and its chunks, kept as compactly as in the file: 32 bytes per data chunk and one bit per block of partly used ones.</summary>
public sealed class ManifestVolume
{
    private readonly ReadOnlyMemory<byte> _maps, _ids;
    private readonly int _mapBytes;

    /// <param name="maps">Block maps of the partly used chunks, one after the other.</param>
    /// <param name="ids">32 bytes per data chunk.</param>
    /// <param name="damaged">Ascending, none touching the next.</param>
    internal ManifestVolume(VolumeHeader header, ChunkRuns runs, ReadOnlyMemory<byte> maps, ReadOnlyMemory<byte> ids, IReadOnlyList<DamagedRange>? damaged = null)
    {
        Damaged = damaged ?? [];
        (Header, Runs, _maps, _ids) = (header, runs, maps, ids);
        _mapBytes = MapBytes(header.ChunkSize / header.BlockSize);
        foreach (var chunk in Chunks())
        {
            UsedBytes += UsedBytesOf(chunk);
            DataBytes += chunk.Kind == ChunkKind.Data ? chunk.Length : 0;
        }
    }

    public VolumeHeader Header { get; }

    public int ChunkCount => Runs.ChunkCount;

    /// <summary>What the source disk could not read: used, and zeros here. Ascending, none touching the next.</summary>
    public IReadOnlyList<DamagedRange> Damaged { get; }

    /// <summary>Bytes of used blocks, data and zero.</summary>
    public long UsedBytes { get; }

    /// <summary>Plain bytes of data chunks.</summary>
    public long DataBytes { get; }

    internal ChunkRuns Runs { get; }
    internal ReadOnlyMemory<byte> Maps => _maps;
    internal ReadOnlyMemory<byte> Ids => _ids;

    public ManifestChunk this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfNegative(index);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, ChunkCount);
            var run = Runs.Run(Runs.RunOf(index));
            return Chunk(run.Kind, index, run.FirstId + index - run.First, run.FirstMap + index - run.First);
        }
    }

    /// <summary>Every chunk in order.</summary>
    public IEnumerable<ManifestChunk> Chunks()
    {
        for (var r = 0; r < Runs.RunCount; r++)
        {
            var run = Runs.Run(r);
            for (var i = 0; i < run.Count; i++)
                yield return Chunk(run.Kind, run.First + i, run.FirstId + i, run.FirstMap + i);
        }
    }

    /// <summary>Bytes of used blocks in one chunk of this volume.</summary>
    public long UsedBytesOf(in ManifestChunk chunk)
    {
        if (chunk.Kind == ChunkKind.Unused)
            return 0;
        if (!chunk.IsPartlyUsed)
            return chunk.Length;
        long blocks = 0;
        foreach (var b in chunk.UsedBits.Span)
            blocks += BitOperations.PopCount(b);
        // The last block of a volume may be cut off by its end.
        var last = Header.ChunkBlocks(chunk.Index) - 1;
        var cut = (last + 1) * (long)Header.BlockSize - chunk.Length;
        var lastUsed = (chunk.UsedBits.Span[last >> 3] >> (last & 7) & 1) != 0;
        return blocks * Header.BlockSize - (lastUsed ? cut : 0);
    }

    internal ChunkId IdAt(int index) => new(_ids.Span.Slice(index * ChunkId.Size, ChunkId.Size));

    internal static int MapBytes(int blocks) => (blocks + 7) / 8;

    private ManifestChunk Chunk(RunKind kind, int index, int id, int map) => new(
        kind switch { RunKind.Unused => ChunkKind.Unused, RunKind.Zero or RunKind.PartlyZero => ChunkKind.Zero, _ => ChunkKind.Data },
        index,
        (long)index * Header.ChunkSize,
        Header.ChunkLength(index),
        ChunkRuns.HasId(kind) ? IdAt(id) : default,
        ChunkRuns.HasMap(kind) ? _maps.Slice(map * _mapBytes, MapBytes(Header.ChunkBlocks(index))) : default);
}
