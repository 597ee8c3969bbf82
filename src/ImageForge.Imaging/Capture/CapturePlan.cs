using ImageForge.Contracts;
using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Deploy;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.FileSystems;
using ImageForge.Imaging.Manifests;

namespace ImageForge.Imaging.Capture;

/// <summary>What is on the disk and worth reading.</summary>
internal sealed class CapturePlan
{
    private readonly DiskLayout _layout;
    private readonly List<ManifestRegion> _regions = [];

    private CapturePlan(DiskLayout layout, BadSectors bad) => (_layout, BadSectors) = (layout, bad);

    /// <summary>What could not be read so far.</summary>
    public BadSectors BadSectors { get; }

    public List<ManifestVolumeBuilder> Volumes { get; } = [];

    private long DiskSize => _layout.SizeBytes / _layout.SectorSize * _layout.SectorSize;

    /// <summary>Bytes of used content to read and hash; what is recorded as zero unread is not in it.</summary>
    public long ReadBytes => Volumes.Sum(v => v.ReadBytes);

    /// <summary>Reads the tables and the file systems' own maps.</summary>
    public static CapturePlan Read(IBlockDevice source, CaptureOptions options, CancellationToken cancel)
    {
        if (source.SectorSize is not (512 or 4096))
            throw new FailureException("sectorSizeUnsupported", Fault.Disk, $"{source.Name} has sectors of {source.SectorSize} bytes and images hold disks with 512 or 4096.", "Format the disk with sectors of 512 or 4096 bytes (sg_format, nvme format) and install it again, or exclude this host.");
        // Such a disk has no tables: it would be taken for one large unknown volume.
        if (TargetContents.ReadRecord(source) is { } unfinished)
            throw new FailureException("deployUnfinished", Fault.Disk, $"{source.Name} carries an unfinished deploy ({unfinished}) and nothing to capture.", "Deploy an image to this host until it succeeds, then capture.");
        var layout = PartitionTables.Read(source) switch
        {
            PartitionTableReading.Found found => found.Layout,
            PartitionTableReading.Unusable unusable => throw new FailureException(unusable.Failure),
            var other => throw new InvalidOperationException($"{other} is not a reading"),
        };
        var plan = new CapturePlan(layout, new BadSectors(source, options.AllowReadErrors, options.Time));
        foreach (var region in layout.RawRegions.OrderBy(r => r.Offset))
            plan._regions.Add(region.Kind == RawRegionKind.Zeros
                ? new ManifestRegion(region.Kind, region.Offset, default, (int)region.Length)
                : new ManifestRegion(region.Kind, region.Offset, ReadRegion(source, region)));
        var contents = new List<(Partition Partition, VolumeContent Content)>();
        foreach (var partition in layout.Partitions.OrderBy(p => p.Offset))
        {
            cancel.ThrowIfCancellationRequested();
            if (partition.Number > 0 && TargetContents.ReadRecord(source, partition) is { } half)
                throw new FailureException("deployUnfinished", Fault.Disk, $"Partition {partition.Number} of {source.Name} carries an unfinished deploy ({half}).", "Deploy this volume to this host until it succeeds, then capture.");
            if (options.ChunkSize != ChunkSizes.Automatic)
                ManifestRoom.CheckChunks(partition, options.ChunkSize);
            var content = Identify(source, partition, options.AllowReadErrors, cancel);
            if (options.Dirty == DirtyVolumes.Refuse && UncleanVolume.Refusal(source.Name, partition, content) is { } refusal)
                throw new FailureException(refusal);
            contents.Add((partition, content));
        }
        var chunkSize = options.ChunkSize != ChunkSizes.Automatic ? options.ChunkSize
            : ChunkSizes.For(contents.Sum(f => f.Content.Used.CountUsed() * f.Content.BlockSize), source.SizeBytes);
        foreach (var (partition, content) in contents)
            plan.Volumes.Add(new ManifestVolumeBuilder(partition, content, chunkSize));
        ManifestRoom.CheckBody(layout, plan._regions, plan.Volumes, chunkSize);
        // What no deploy could read back is refused now, not after hours of sending.
        if (Extents.Problem(plan.DiskSize, layout.SectorSize, plan._regions, [.. plan.Volumes.Select(v => v.Header.Partition)], layout.Gpt) is { } problem)
            throw new FailureException("layoutUnsupported", Fault.Disk, $"The partition table of {source.Name} cannot be captured: {problem}.", "Repair the partition table (sgdisk -v, fdisk) and capture again.");
        return plan;
    }

    public Manifest Build(string? diskModel) => new(
        DiskSize, _layout.SectorSize, diskModel, _layout.Scheme, _layout.Gpt, _regions, [.. Volumes.Select(v => v.Build(BadSectors.RangesOf(v.Header.Partition)))]);

    /// <summary>Where a file system's own tables cannot be read nobody knows what is used: every block is taken, and what is unreadable gets on the list.</summary>
    private static VolumeContent Identify(IBlockDevice source, Partition partition, bool allowed, CancellationToken cancel)
    {
        try
        {
            return VolumeProbe.Identify(source, partition, cancel);
        }
        catch (DiskException e) when (e.Trouble == DiskTrouble.MediumError)
        {
            var tables = $"the tables of volume {partition.Number}'s file system, near byte {e.Offset - partition.Offset} of it (sector {e.Offset / source.SectorSize} of the disk)";
            return allowed
                ? VolumeProbe.AllUsed(FileSystemKind.Unknown, partition.Length, null, null, $"The disk cannot read {tables}: taken with every block.")
                : throw new FailureException(new Failure("diskMediumError", Fault.Disk, $"{source.Name} cannot read {tables}.",
                    "Check the disk with its maker's tool (SMART), repair the file system on it or replace the disk, then capture again; or allow read errors on the job, which marks the image as damaged."), e);
        }
    }

    private static byte[] ReadRegion(IBlockDevice source, RawRegion region)
    {
        using var buffer = AlignedBuffer.Rent(checked((int)region.Length));
        source.Read(region.Offset, buffer.Span);
        return buffer.Span.ToArray();
    }
}
