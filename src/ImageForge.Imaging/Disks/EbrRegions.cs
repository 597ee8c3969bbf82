namespace ImageForge.Imaging.Disks;

/// <summary>
/// What lies between the logical partitions and must come back: each boot record, and the sectors up to its partition, where boot
/// loaders live. Their zeros are kept as a number of bytes: thirty partitions with a MiB before each would otherwise fill a manifest.
/// </summary>
internal static class EbrRegions
{
    /// <summary>Bytes kept of all records and gaps of a disk; a manifest holds 32 MiB of raw regions.</summary>
    public const long MaxContent = 24 << 20;

    /// <summary>In disk order.</summary>
    public static List<RawRegion> Read(IBlockDevice disk, EbrChain chain)
    {
        long sector = disk.SectorSize;
        var starts = chain.Records.Concat(chain.Logicals.Select(l => l.FirstLba)).Order().ToList();
        var withPartition = chain.Logicals.Select(l => l.RecordLba).ToHashSet();
        var regions = new List<RawRegion>();
        foreach (var record in chain.Records.Order())
        {
            var (from, to) = (record * sector, (record + 1) * sector);
            var after = starts.BinarySearch(record) + 1;
            // Behind a record without a partition is free space, as behind any partition.
            var end = withPartition.Contains(record) && after < starts.Count ? Math.Min(starts[after] * sector, to + RawRegion.MaxGap) : to;
            var content = EndOfContent(disk, to, end);
            regions.Add(new RawRegion(from, content - from, RawRegionKind.Ebr));
            if (content < end)
                regions.Add(new RawRegion(content, end - content, RawRegionKind.Zeros));
        }
        return regions;
    }

    /// <summary>First byte of a sector from which on everything up to <paramref name="end"/> is zero.</summary>
    private static long EndOfContent(IBlockDevice disk, long from, long end)
    {
        if (from == end)
            return from;
        using var buffer = AlignedBuffer.Rent((int)(end - from));
        disk.Read(from, buffer.Span);
        var last = buffer.Span.LastIndexOfAnyExcept((byte)0);
        return last < 0 ? from : from + (last / disk.SectorSize + 1L) * disk.SectorSize;
    }
}
