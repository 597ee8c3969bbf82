using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Manifests;

namespace ImageForge.Imaging.Capture;

/// <summary>Reads the used part of chunks. A bad sector counts only if a file system uses it.</summary>
internal sealed class SourceReader(IBlockDevice source, BadSectors bad)
{
    /// <summary>A read that failed is repeated in pieces of this size, so that a disk that takes seconds per bad sector is asked for few of them.</summary>
    private const int Piece = 64 << 10;

    /// <summary>Fills <paramref name="plain"/> with neighbouring chunks, unused blocks zeroed: one read from the first used block to the last.</summary>
    /// <returns>Bytes read from the disk.</returns>
    public long Read(in CaptureSpan span, Span<byte> plain)
    {
        var (volume, header) = (span.Volume, span.Volume.Header);
        var last = span.FirstChunk + span.Count - 1;
        if (span.Count == 1)
            return Read(header, span.DiskOffset, volume.ReadBitsOf(last), plain[..header.ChunkLength(last)]);
        var bits = Enumerable.Range(span.FirstChunk, span.Count).Select(volume.ReadBitsOf).ToArray();
        var start = UsedBits.Span(bits[0], header.BlockSize, header.ChunkSize).Start;
        var lastAt = (span.Count - 1) * header.ChunkSize;
        var end = lastAt + UsedBits.Span(bits[^1], header.BlockSize, header.ChunkLength(last)).End;
        try
        {
            source.Read(span.DiskOffset + start, plain[start..end]);
        }
        catch (DiskException e) when (e.Trouble == DiskTrouble.MediumError)
        {
            long read = 0;
            for (var i = 0; i < span.Count; i++)
                read += Read(header, span.DiskOffset + (long)i * header.ChunkSize, bits[i], plain.Slice(i * header.ChunkSize, header.ChunkLength(span.FirstChunk + i)));
            return read;
        }
        for (var i = 0; i < span.Count; i++)
            UsedBits.ClearUnused(bits[i], header.BlockSize, plain.Slice(i * header.ChunkSize, header.ChunkLength(span.FirstChunk + i)));
        bad.Check();
        return end - start;
    }

    /// <summary>Fills <paramref name="plain"/> with the chunk at <paramref name="offset"/> of the disk, unused blocks and unreadable sectors zeroed.</summary>
    /// <param name="bits">Used-block map of the chunk; empty: every block.</param>
    /// <returns>Bytes read from the disk.</returns>
    /// <exception cref="Contracts.FailureException"><c>diskMediumError</c>: see <see cref="BadSectors.Add"/>.</exception>
    public long Read(VolumeHeader volume, long offset, ReadOnlySpan<byte> bits, Span<byte> plain)
    {
        var (start, end) = UsedBits.Span(bits, volume.BlockSize, plain.Length);
        try
        {
            // One read from the first used block to the last: faster than many small ones.
            source.Read(offset + start, plain[start..end]);
        }
        catch (DiskException e) when (e.Trouble == DiskTrouble.MediumError)
        {
            ReadRuns(volume, offset, bits, plain);
        }
        UsedBits.ClearUnused(bits, volume.BlockSize, plain);
        bad.Check();
        return end - start;
    }

    private void ReadRuns(VolumeHeader volume, long offset, ReadOnlySpan<byte> bits, Span<byte> plain)
    {
        for (var from = 0; UsedBits.Next(bits, volume.BlockSize, plain.Length, from, out var start, out var length); from = start + length)
            for (var at = start; at < start + length; at += Piece)
                ReadPiece(volume, offset + at, plain.Slice(at, Math.Min(Piece, start + length - at)));
    }

    private void ReadPiece(VolumeHeader volume, long offset, Span<byte> plain)
    {
        try
        {
            source.Read(offset, plain);
        }
        catch (DiskException e) when (e.Trouble == DiskTrouble.MediumError)
        {
            ReadSectors(volume, offset, plain);
        }
    }

    /// <summary>Sector by sector, to find the bad ones; a disk that recovers meanwhile has its data read.</summary>
    private void ReadSectors(VolumeHeader volume, long offset, Span<byte> plain)
    {
        for (var i = 0; i < plain.Length; i += source.SectorSize)
        {
            var sector = plain.Slice(i, source.SectorSize);
            try
            {
                source.Read(offset + i, sector);
            }
            catch (DiskException e) when (e.Trouble == DiskTrouble.MediumError)
            {
                sector.Clear();
                bad.Add(volume.Partition, offset + i - volume.Partition.Offset, source.SectorSize, e);
            }
        }
    }
}
