using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Manifests;

namespace ImageForge.Imaging.Deploy;

/// <summary>Writes the used blocks of a span, except the head of its volume and what the disk holds already.</summary>
internal sealed class SpanWriter(IBlockDevice target, WritePlan plan)
{
    /// <summary>
    /// Unused gaps shorter than this are written with zeros: one write costs less than two. Allowed because unused blocks mean
    /// nothing on a disk that is deployed whole; nothing relies on what they hold afterwards.
    /// </summary>
    private const int GapBytes = 64 << 10;

    /// <param name="kept">One per chunk; null: nothing is kept.</param>
    /// <param name="plain">The span's chunks with unused blocks zeroed; empty if it holds only zeros.</param>
    public void Write(ChunkSpan span, bool[]? kept, ReadOnlySpan<byte> plain, CancellationToken cancel)
    {
        int begin = -1, end = 0;
        var zero = false;
        for (var i = 0; i < span.Chunks.Count; i++)
        {
            var chunk = span.Chunks[i];
            if (kept is not null && kept[i])
                continue;
            var at = span.At(i);
            var head = (int)Math.Clamp(plan.HeadBytes(span.Volume.Header) - chunk.VolumeOffset, 0, chunk.Length);
            for (var from = 0; UsedBits.Next(chunk.UsedBits.Span, span.BlockSize, chunk.Length, from, out var start, out var length); from = start + length)
            {
                var (first, last) = (at + Math.Max(start, head), at + start + length);
                if (first >= last)
                    continue;
                // Zeros are written by the disk itself where it can; a gap may lie in one chunk only: beyond its end others' content begins.
                var joins = begin >= 0 && zero == (chunk.Kind == ChunkKind.Zero) && (first == end || (end >= at && first - end <= GapBytes));
                if (!joins)
                {
                    Put(span, plain, begin, end, zero, cancel);
                    (begin, zero) = (first, chunk.Kind == ChunkKind.Zero);
                }
                end = last;
            }
        }
        Put(span, plain, begin, end, zero, cancel);
    }

    private void Put(ChunkSpan span, ReadOnlySpan<byte> plain, int begin, int end, bool zero, CancellationToken cancel)
    {
        if (begin < 0)
            return;
        cancel.ThrowIfCancellationRequested();
        var offset = span.Volume.Header.Partition.Offset + span.VolumeOffset + begin;
        if (zero)
            target.WriteZeros(offset, end - begin);
        else
            target.Write(offset, plain[begin..end]);
    }
}
