using ImageForge.Contracts;

namespace ImageForge.Imaging.Disks;

public enum PartitionScheme
{
    /// <summary>No partition table: a file system on the whole disk, or nothing known.</summary>
    None,
    Mbr,
    Gpt,
}

/// <summary>How a disk is divided: the structure, and which raw sectors outside the partitions belong to it.</summary>
/// <param name="Partitions">In order of their offset. <see cref="PartitionScheme.None"/>: one, number 0, the whole disk.</param>
/// <param name="RawRegions">Ascending, not overlapping each other or a partition; multiples of the sector size; a few MiB at most, <see cref="RawRegionKind.Zeros"/> not counted.</param>
/// <param name="Gpt">The parsed table if the scheme is GPT: what <see cref="GptWriter"/> rebuilds from.</param>
/// <param name="Mbr">The parsed boot record if the scheme is MBR.</param>
/// <param name="Notes">Remarks for people: a damaged copy, a hybrid MBR …</param>
public sealed record DiskLayout(
    PartitionScheme Scheme,
    long SizeBytes,
    int SectorSize,
    IReadOnlyList<Partition> Partitions,
    IReadOnlyList<RawRegion> RawRegions,
    GptTable? Gpt,
    MbrTable? Mbr,
    IReadOnlyList<string> Notes);

/// <param name="Number">As Linux counts: 1 for sda1, logical partitions from 5; 0 for a whole disk.</param>
/// <param name="Offset">First byte on the disk.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Type">GPT: type GUID in lower case; MBR: <c>0x83</c>; whole disk: empty.</param>
/// <param name="UniqueId">GPT: unique GUID in lower case; MBR: <c>signature-number</c> as Linux's PARTUUID; else null.</param>
/// <param name="Attributes">GPT: attribute bits (UEFI 2.10 table 5.8); MBR: the boot indicator byte.</param>
public sealed record Partition(int Number, long Offset, long Length, string Type, string? UniqueId, string? Name, ulong Attributes)
{
    /// <summary>Why its content is taken as it is, every block, without looking for a file system: boot code, or an extended partition that holds something else than a chain. Null for all others.</summary>
    public string? Opaque { get; init; }

    /// <summary>First byte after it.</summary>
    public long End => Offset + Length;
}

public enum RawRegionKind
{
    /// <summary>LBA 0: boot code, protective or real MBR.</summary>
    BootSector,

    /// <summary>Header and entries of the first copy.</summary>
    GptPrimary,

    /// <summary>Sectors between the table and the first partition, at most 1 MiB: boot loaders live here.</summary>
    Gap,

    /// <summary>Entries and header of the second copy.</summary>
    GptBackup,

    /// <summary>An extended boot record and what follows it up to its logical partition, as far as it is not zero.</summary>
    Ebr,

    /// <summary>Sectors that held zeros and must do so again; a manifest keeps their number only.</summary>
    Zeros,
}

/// <param name="Offset">First byte on the disk.</param>
/// <param name="Length">Bytes.</param>
public sealed record RawRegion(long Offset, long Length, RawRegionKind Kind)
{
    /// <summary>Bytes kept of a gap: what today's partitioning tools leave free, and more than any boot loader takes.</summary>
    public const long MaxGap = 1 << 20;

    /// <summary>First byte after it.</summary>
    public long End => Offset + Length;
}

/// <summary>What <see cref="PartitionTables.Read"/> found: a layout, or why there is none.</summary>
public abstract record PartitionTableReading
{
    private PartitionTableReading() { }

    public sealed record Found(DiskLayout Layout) : PartitionTableReading;

    /// <summary>There is a partition table, and it cannot be trusted or is not supported.</summary>
    public sealed record Unusable(Failure Failure) : PartitionTableReading;
}
