using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Manifests;

namespace ImageForge.Imaging.Deploy;

/// <summary>Writes the used blocks of a chunk, except the head of its volume.</summary>
internal sealed class ChunkWriter(IBlockDevice target, WritePlan plan)
{
    /// <summary>
    /// Unused gaps shorter than this are written with zeros: one write costs less than two. Allowed because unused blocks mean
    /// nothing on a disk that is deployed whole; nothing relies on what they hold afterwards.
    /// </summary>
    private const int GapBytes = 64 << 10;

    /// <param name="plain">The chunk with unused blocks zeroed; empty for a zero chunk.</param>
    public void Write(ManifestVolume volume, in ManifestChunk chunk, ReadOnlySpan<byte> plain)
    {
        var bits = chunk.UsedBits.Span;
        var head = chunk.Index == 0 ? plan.HeadBytes(volume.Header) : 0;
        int begin = -1, end = 0;
        for (var from = 0; UsedBits.Next(bits, volume.Header.BlockSize, chunk.Length, from, out var start, out var length); from = start + length)
        {
            if (begin >= 0 && start - end > GapBytes)
            {
                WriteSpan(volume, chunk, plain, begin, end, head);
                begin = -1;
            }
            begin = begin < 0 ? start : begin;
            end = start + length;
        }
        if (begin >= 0)
            WriteSpan(volume, chunk, plain, begin, end, head);
    }

    private void WriteSpan(ManifestVolume volume, in ManifestChunk chunk, ReadOnlySpan<byte> plain, int begin, int end, int head)
    {
        begin = Math.Max(begin, head);
        if (begin >= end)
            return;
        var offset = volume.Header.Partition.Offset + chunk.VolumeOffset + begin;
        if (plain.IsEmpty)
            target.WriteZeros(offset, end - begin);
        else
            target.Write(offset, plain[begin..end]);
    }
}
