using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Manifests;

namespace ImageForge.Imaging.Deploy;

/// <summary>Answers whether a chunk is on the disk as the manifest says: read, mask the unused blocks, hash, compare.</summary>
internal sealed class ChunkOnDisk(IBlockDevice target)
{
    /// <param name="buffer">At least the chunk's length, aligned; its content is undefined afterwards.</param>
    /// <param name="head">Bytes held back from the start of the volume, which the disk does not hold yet; empty if there are none.</param>
    public bool IsRight(ManifestVolume volume, in ManifestChunk chunk, Span<byte> buffer, ReadOnlySpan<byte> head)
    {
        var plain = buffer[..chunk.Length];
        var (start, end) = UsedBits.Span(chunk.UsedBits.Span, volume.Header.BlockSize, chunk.Length);
        target.Read(volume.Header.Partition.Offset + chunk.VolumeOffset + start, plain[start..end]);
        head.CopyTo(plain);
        UsedBits.ClearUnused(chunk.UsedBits.Span, volume.Header.BlockSize, plain);
        return chunk.Kind == ChunkKind.Zero
            ? !plain[start..end].ContainsAnyExcept((byte)0)
            : ChunkId.Of(plain) == chunk.Id;
    }
}

/// <summary>
/// Decides whether comparing the next chunk is worth its read. A deploy that was cut has a front: right before it, wrong after
/// it, mixed near it. After a long row of misses only samples are compared until one hits again.
/// </summary>
internal sealed class ComparisonPace
{
    private const int MissesBeforeSampling = 256, SampleEvery = 16;
    private int _misses;

    public bool WantsNext() => _misses < MissesBeforeSampling || ++_misses % SampleEvery == 0;

    public void Tell(bool right) => _misses = right ? 0 : _misses + 1;
}
