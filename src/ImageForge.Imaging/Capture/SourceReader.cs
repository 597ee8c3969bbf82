using ImageForge.Contracts;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Manifests;

namespace ImageForge.Imaging.Capture;

/// <summary>Reads the used part of chunks. A bad sector fails the capture only if a file system uses it.</summary>
internal sealed class SourceReader(IBlockDevice source)
{
    /// <summary>Fills <paramref name="plain"/> with the chunk at <paramref name="offset"/> of the disk, unused blocks zeroed.</summary>
    /// <param name="bits">Used-block map of the chunk; empty: every block.</param>
    /// <returns>Bytes read from the disk.</returns>
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
        return end - start;
    }

    private void ReadRuns(VolumeHeader volume, long offset, ReadOnlySpan<byte> bits, Span<byte> plain)
    {
        for (var from = 0; UsedBits.Next(bits, volume.BlockSize, plain.Length, from, out var start, out var length); from = start + length)
        {
            try
            {
                source.Read(offset + start, plain.Slice(start, length));
            }
            catch (DiskException e) when (e.Trouble == DiskTrouble.MediumError)
            {
                ReadSectors(volume, offset + start, plain.Slice(start, length));
            }
        }
    }

    /// <summary>Sector by sector, to name the bad one; a disk that recovers meanwhile has its data read.</summary>
    private void ReadSectors(VolumeHeader volume, long offset, Span<byte> plain)
    {
        for (var i = 0; i < plain.Length; i += source.SectorSize)
        {
            try
            {
                source.Read(offset + i, plain.Slice(i, source.SectorSize));
            }
            catch (DiskException e) when (e.Trouble == DiskTrouble.MediumError)
            {
                var lba = (offset + i) / source.SectorSize;
                throw new FailureException(
                    "diskMediumError", Fault.Disk,
                    $"Sector {lba} of {source.Name} (volume {volume.Partition.Number}, byte {offset + i - volume.Partition.Offset}) cannot be read and is in use.",
                    "Check the disk with its maker's tool (SMART), repair the file system on it or replace the disk, then capture again.", e);
            }
        }
    }
}
