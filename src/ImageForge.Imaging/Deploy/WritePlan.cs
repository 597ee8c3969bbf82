using ImageForge.Contracts;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Manifests;

namespace ImageForge.Imaging.Deploy;

/// <summary>What a deploy will do. Made by <see cref="DeployPlanner"/> only.</summary>
public sealed class WritePlan
{
    /// <summary>Sectors at the start of every volume that are written last: boot code, FAT's backup boot sector and the ext superblock lie there.</summary>
    internal const int HeadSectors = 8;

    /// <summary>
    /// Firmware looks for ISO 9660 with an El Torito boot record from byte 32768 of any disk (ECMA-119 §6.2.1; EDK2's partition
    /// driver asks no drive type). What a volume has below this byte of the disk is part of its head; not more than the smallest chunk.
    /// </summary>
    internal const int DiscRecordsEnd = 64 << 10;

    internal WritePlan(Manifest manifest, string manifestHash, long diskSizeBytes, bool resuming, IReadOnlyList<DiskWrite> tables, IReadOnlyList<ManifestRegion> zeros) =>
        (Manifest, ManifestHash, DiskSizeBytes, Resuming, Tables, Zeros) = (manifest, manifestHash, diskSizeBytes, resuming, tables, zeros);

    public Manifest Manifest { get; }

    public string ManifestHash { get; }

    public long DiskSizeBytes { get; }

    /// <summary>The target carries the resume record of this very manifest: what is on it is compared before it is fetched.</summary>
    public bool Resuming { get; }

    /// <summary>Bytes of used content to put on the disk.</summary>
    public long BytesToWrite => Manifest.UsedBytes;

    /// <summary>Plain bytes of data chunks, before compression.</summary>
    public long BytesToFetchAtMost => Manifest.DataBytes;

    /// <summary>Gaps, extended boot records, boot sector and partition tables in the order to write.</summary>
    internal IReadOnlyList<DiskWrite> Tables { get; }

    /// <summary>Sectors outside the volumes that must be zero: written before everything else, they lead nowhere.</summary>
    internal IReadOnlyList<ManifestRegion> Zeros { get; }

    /// <summary>Bytes at the start of a volume that stay unwritten until the end.</summary>
    internal int HeadBytes(VolumeHeader volume) => (int)Math.Min(Math.Max(HeadSectors * Manifest.SectorSize, DiscRecordsEnd - volume.Partition.Offset), volume.Partition.Length);

    /// <summary>The volume that holds a byte of the disk, null outside every volume.</summary>
    internal VolumeHeader? VolumeAt(long offset) =>
        Manifest.Volumes.Select(v => v.Header).FirstOrDefault(h => offset >= h.Partition.Offset && offset < h.Partition.End);

    /// <summary>The plan in the form shown to people before the first write.</summary>
    public DeployPlan Describe(DiskInventory disk) => new(
        disk.Name, disk.Model, disk.Serial, DiskSizeBytes, Manifest.SectorSize, Resuming,
        [.. Manifest.Volumes.Select(Describe)],
        BytesToWrite, BytesToFetchAtMost,
        Resuming ? $"Continues the unfinished deploy on {TargetDisk.Describe(disk)}." : $"Erases everything on {TargetDisk.Describe(disk)}.");

    private static PlannedVolume Describe(ManifestVolume volume)
    {
        var header = volume.Header;
        return new PlannedVolume(header.Partition.Number, header.Partition.Name ?? header.Label ?? "", header.FileSystem.ToString().ToLowerInvariant(), header.Partition.Offset, header.Partition.Length, volume.UsedBytes);
    }
}
