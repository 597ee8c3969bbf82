using ImageForge.Imaging.Manifests;

namespace ImageForge.Imaging.Deploy;

/// <summary>Neighbouring chunks that hold content, read or written at once.</summary>
internal sealed record ChunkSpan(int VolumeIndex, ManifestVolume Volume, IReadOnlyList<ManifestChunk> Chunks)
{
    /// <summary>Bytes of one read or write: where disks and system calls stop gaining from larger ones. A larger chunk is a span of its own.</summary>
    public const int Bytes = 1 << 20;

    public long VolumeOffset => Chunks[0].VolumeOffset;

    public int Length => (int)(Chunks[^1].VolumeOffset - VolumeOffset) + Chunks[^1].Length;

    public int BlockSize => Volume.Header.BlockSize;

    /// <summary>Where a chunk's bytes lie in a buffer of the span.</summary>
    public int At(int index) => (int)(Chunks[index].VolumeOffset - VolumeOffset);

    /// <summary>First used byte of the span and the byte after the last.</summary>
    public (int Start, int End) Used()
    {
        var last = Chunks.Count - 1;
        return (UsedBits.Span(Chunks[0].UsedBits.Span, BlockSize, Chunks[0].Length).Start,
            At(last) + UsedBits.Span(Chunks[last].UsedBits.Span, BlockSize, Chunks[last].Length).End);
    }

    /// <summary>Every span of an image in disk order, of the chunks that <paramref name="wanted"/> says.</summary>
    public static IEnumerable<ChunkSpan> Of(Manifest manifest, Func<int, ManifestChunk, bool> wanted)
    {
        for (var v = 0; v < manifest.Volumes.Count; v++)
        {
            var volume = manifest.Volumes[v];
            var most = Math.Max(1, Bytes / volume.Header.ChunkSize);
            var chunks = new List<ManifestChunk>(most);
            foreach (var chunk in volume.Chunks())
            {
                if (chunk.Kind == ChunkKind.Unused || !wanted(v, chunk))
                    continue;
                if (chunks.Count == most || (chunks.Count > 0 && chunks[^1].Index + 1 != chunk.Index))
                {
                    yield return new ChunkSpan(v, volume, chunks);
                    chunks = new List<ManifestChunk>(most);
                }
                chunks.Add(chunk);
            }
            if (chunks.Count > 0)
                yield return new ChunkSpan(v, volume, chunks);
        }
    }

    public static int BufferLength(Manifest manifest) =>
        Math.Max(Bytes, manifest.Volumes.Select(v => v.Header.ChunkSize).DefaultIfEmpty(Bytes).Max());
}
