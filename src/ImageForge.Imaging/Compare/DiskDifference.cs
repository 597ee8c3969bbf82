namespace ImageForge.Imaging.Compare;

/// <param name="Offset">From the start of the volume.</param>
public sealed record ByteRange(long Offset, long Length);

/// <summary>How much of one volume differs; only used blocks are compared.</summary>
/// <param name="Name">Of the partition, else the label of the file system.</param>
/// <param name="Only">Null: it is on both sides; else the side that has it, or why the two cannot be compared.</param>
/// <param name="BytesDifferent">Of used blocks, in sectors where the content is at hand, else in whole chunks.</param>
/// <param name="Ranges">The first of them, merged and in order.</param>
/// <param name="RangeCount">All of them.</param>
public sealed record VolumeDifference(
    int Number, string Name, string FileSystem, long UsedBytes, long ChunksCompared, long ChunksDifferent, long BytesDifferent,
    IReadOnlyList<ByteRange> Ranges, long RangeCount, string? Only = null)
{
    public bool Same => Only is null && ChunksDifferent == 0;
}

/// <param name="Tables">Which partition tables and boot sectors differ, in words.</param>
public sealed record DiskDifference(IReadOnlyList<VolumeDifference> Volumes, IReadOnlyList<string> Tables)
{
    public bool Same => Tables.Count == 0 && Volumes.All(volume => volume.Same);

    public long BytesDifferent => Volumes.Sum(volume => volume.BytesDifferent);
}
