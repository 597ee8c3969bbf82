using ImageForge.Imaging.Disks;

namespace ImageForge.Imaging.Imports;

/// <summary>A partition that was copied byte by byte (dd). Zeros stay holes.</summary>
internal static class RawCopy
{
    private const int Piece = 1 << 20;

    /// <param name="head">The first bytes, to tell what is not a copy at all.</param>
    public static void Run(string name, ReadOnlySpan<byte> head, Stream stream, IBlockDevice target, Partition partition, Action progress, CancellationToken cancel)
    {
        if (head.StartsWith("\0ntfsclone-image"u8[..16]))
            throw ImportFailures.Unsupported(name, "it was made by ntfsclone", "Restore it with ntfsclone --restore-image and import or capture the disk.");
        if (head.StartsWith("PaRtImAgE-VoLuMe"u8))
            throw ImportFailures.Unsupported(name, "it was made by partimage", "Restore it with partimage and import or capture the disk.");
        using var buffer = AlignedBuffer.Rent(Piece);
        for (long done = 0; ;)
        {
            cancel.ThrowIfCancellationRequested();
            var length = stream.ReadAtLeast(buffer.Span, Piece, throwOnEndOfStream: false);
            if (length == 0)
                return;
            var whole = (length + target.SectorSize - 1) / target.SectorSize * target.SectorSize;
            buffer.Span[length..whole].Clear();
            if (done + whole > partition.Length)
                throw ImportFailures.Damaged(name, $"it holds more than its partition of {partition.Length} bytes");
            target.Write(partition.Offset + done, buffer.Span[..whole]);
            done += whole;
            progress();
        }
    }
}
