using ImageForge.Contracts;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.FileSystems;
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

    /// <summary>
    /// End of the superblock that lies furthest into a volume and is enough to mount it: btrfs's at 64 KiB. Its other copies are only
    /// used by repair tools, as XFS's are.
    /// </summary>
    internal const int SuperblocksEnd = 68 << 10;

    internal WritePlan(Manifest image, Manifest manifest, IReadOnlyList<PlacedVolume> places, IReadOnlyList<DiskWrite> tables) =>
        (Image, Manifest, Places, Tables) = (image, manifest, places, tables);

    /// <summary>The image as captured.</summary>
    internal Manifest Image { get; }

    /// <summary>What is written: the chosen volumes, at their places on the target.</summary>
    public Manifest Manifest { get; }

    public required string ManifestHash { get; init; }

    public required long DiskSizeBytes { get; init; }

    public DeployMode Mode { get; init; }

    /// <summary>The mark of this layout in the resume record, see <see cref="LayoutMark"/>.</summary>
    internal uint Layout { get; init; }

    /// <summary>The target carries the resume record of this very manifest: what is on it is compared before it is fetched.</summary>
    public required bool Resuming { get; init; }

    /// <summary>One for each volume of <see cref="Manifest"/>.</summary>
    internal IReadOnlyList<PlacedVolume> Places { get; }

    /// <summary>For people.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Bytes of used content to put on the disk.</summary>
    public long BytesToWrite => Manifest.UsedBytes;

    /// <summary>Plain bytes of data chunks, before compression.</summary>
    public long BytesToFetchAtMost => Manifest.DataBytes;

    /// <summary>Gap, boot sector and partition tables in the order to write; empty for a deploy of selected volumes.</summary>
    internal IReadOnlyList<DiskWrite> Tables { get; }

    /// <summary>Sectors outside the volumes that must be zero: written before everything else, they lead nowhere.</summary>
    internal IReadOnlyList<ManifestRegion> Zeros => [.. Manifest.Regions.Where(r => r.Kind == RawRegionKind.Zeros)];

    /// <summary>Bytes at the start of a volume that stay unwritten until the end; they may reach into several chunks.</summary>
    internal int HeadBytes(VolumeHeader volume)
    {
        var mountedBy = volume.FileSystem switch
        {
            FileSystemKind.Btrfs => SuperblocksEnd,
            // One superblock in each of the first two blocks: the second is taken where the first is damaged.
            FileSystemKind.F2fs => 8 << 10,
            _ => HeadSectors * Manifest.SectorSize,
        };
        return (int)Math.Min(Math.Max(Math.Max(mountedBy, HeadSectors * Manifest.SectorSize), DiscRecordsEnd - volume.Partition.Offset), volume.Partition.Length);
    }

    /// <summary>Bytes at the start of a volume that are zeroed first: where the table stays and still leads to the volume, also the superblock of what it held before.</summary>
    internal long ClearedBytes(VolumeHeader volume) =>
        Mode == DeployMode.SelectedVolumes ? Math.Min(Math.Max(HeadBytes(volume), SuperblocksEnd), volume.Partition.Length) : HeadBytes(volume);

    /// <summary>The volume that holds a byte of the disk, null outside every volume.</summary>
    internal VolumeHeader? VolumeAt(long offset) =>
        Manifest.Volumes.Select(v => v.Header).FirstOrDefault(h => offset >= h.Partition.Offset && offset < h.Partition.End);

    /// <summary>The plan in the form shown to people before the first write.</summary>
    /// <param name="contents">What is on the target; null: nobody has looked.</param>
    public DeployPlan Describe(DiskInventory disk, TargetContents? contents = null, bool readBack = true) => PlanText.Of(this, disk, contents, readBack);
}
