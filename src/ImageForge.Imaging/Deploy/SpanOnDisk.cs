using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Manifests;

namespace ImageForge.Imaging.Deploy;

/// <summary>Answers whether chunks are on the disk as the manifest says: read, mask the unused blocks, hash, compare. Thread-safe.</summary>
internal sealed class SpanOnDisk(IBlockDevice target)
{
    /// <summary>Fills <paramref name="buffer"/> from the first used block of the span to the last; returns the bytes read.</summary>
    public int Read(ChunkSpan span, Span<byte> buffer)
    {
        var (start, end) = span.Used();
        target.Read(span.Volume.Header.Partition.Offset + span.VolumeOffset + start, buffer[start..end]);
        return end - start;
    }

    /// <summary>Reads one chunk; afterwards <paramref name="buffer"/> holds what is on the disk, unused blocks zeroed.</summary>
    public bool IsRight(ManifestVolume volume, in ManifestChunk chunk, Span<byte> buffer)
    {
        Read(new ChunkSpan(0, volume, [chunk]), buffer);
        return IsRight(volume, chunk, buffer[..chunk.Length], default);
    }

    /// <param name="content">The chunk's bytes as read; undefined where no block is used, and afterwards.</param>
    /// <param name="head">Bytes held back from the start of this chunk, which the disk does not hold yet; empty if there are none.</param>
    public static bool IsRight(ManifestVolume volume, in ManifestChunk chunk, Span<byte> content, ReadOnlySpan<byte> head)
    {
        head.CopyTo(content);
        UsedBits.ClearUnused(chunk.UsedBits.Span, volume.Header.BlockSize, content);
        return chunk.Kind == ChunkKind.Zero
            ? !content.ContainsAnyExcept((byte)0)
            : ChunkId.Of(content) == chunk.Id;
    }
}
