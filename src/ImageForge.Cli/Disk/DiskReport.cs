using ImageForge.Imaging.Disks;
using ImageForge.Imaging.FileSystems;

namespace ImageForge.Cli.Disk;

/// <summary>What is on a disk.</summary>
/// <param name="Scheme">gpt, mbr or none.</param>
internal sealed record DiskReport(string Disk, long SizeBytes, int SectorSize, string Scheme, IReadOnlyList<PartitionReport> Partitions, IReadOnlyList<string> Notes)
{
    public long UsedBytes => Partitions.Sum(partition => partition.UsedBytes);

    public static DiskReport Of(IBlockDevice disk, DiskLayout layout, CancellationToken cancel) => new(
        disk.Name, disk.SizeBytes, disk.SectorSize, layout.Scheme.ToString().ToLowerInvariant(),
        [.. layout.Partitions.Select(partition => PartitionReport.Of(partition, VolumeProbe.Identify(disk, partition, cancel)))],
        layout.Notes);
}

/// <param name="FileSystem">As in the manifest: ntfs, ext4, unknown …</param>
/// <param name="UsedBytes">What a capture reads.</param>
internal sealed record PartitionReport(
    int Number, long OffsetBytes, long SizeBytes, string Type, string? Name, string? UniqueId,
    string FileSystem, string? Uuid, string? Label, long UsedBytes, string? Note)
{
    public static PartitionReport Of(Partition partition, VolumeContent content) => new(
        partition.Number, partition.Offset, partition.Length, partition.Type, partition.Name, partition.UniqueId,
        content.Kind.ToString().ToLowerInvariant(), content.Uuid, content.Label,
        Math.Min(content.Used.CountUsed() * content.BlockSize, partition.Length), content.Note);
}
