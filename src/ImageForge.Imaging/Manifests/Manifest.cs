using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.FileSystems;

namespace ImageForge.Imaging.Manifests;

/// <summary>How the disk is divided.</summary>
public enum PartitionScheme { None, Mbr, Gpt }

/// <summary>One captured disk: its geometry, its tables and which chunks make which volume. Immutable; the format is in README.md.</summary>
/// <param name="DiskSizeBytes">Size of the disk the image was taken from.</param>
/// <param name="SectorSize">Logical sector size in bytes, 512 or 4096; an image fits only disks with the same one.</param>
/// <param name="DiskModel">For people only.</param>
/// <param name="DiskId">GPT disk GUID, or the MBR signature as eight hex digits; null without a table.</param>
/// <param name="Regions">Raw bytes outside every volume that a deploy restores: MBR, gap, GPT copies, EBRs. In disk order, not overlapping.</param>
/// <param name="Volumes">In disk order, not overlapping.</param>
public sealed record Manifest(
    long DiskSizeBytes,
    int SectorSize,
    string? DiskModel,
    PartitionScheme Scheme,
    string? DiskId,
    IReadOnlyList<RawRegion> Regions,
    IReadOnlyList<ManifestVolume> Volumes)
{
    /// <summary>Bytes of used blocks over all volumes.</summary>
    public long UsedBytes => Volumes.Sum(v => v.UsedBytes);

    /// <summary>Bytes of plain data chunks over all volumes: what a deploy onto a blank disk has to fetch at most, before compression.</summary>
    public long DataBytes => Volumes.Sum(v => v.DataBytes);

    /// <summary>Every data chunk with its plain length, in disk order; an id that occurs several times is listed each time.</summary>
    public IEnumerable<(ChunkId Id, int PlainLength)> DataChunks() =>
        from volume in Volumes from chunk in volume.Chunks() where chunk.Kind == ChunkKind.Data select (chunk.Id, chunk.Length);
}

/// <summary>What a raw region is, in the order a deploy writes them.</summary>
public enum RegionKind { Gap, Ebr, GptBackup, GptPrimary, Mbr }

/// <param name="Offset">Bytes from the start of the disk, a multiple of the sector size.</param>
/// <param name="Bytes">Whole sectors.</param>
public sealed record RawRegion(RegionKind Kind, long Offset, ReadOnlyMemory<byte> Bytes);

/// <summary>What the partition table and the file system say about a volume.</summary>
/// <param name="Number">Partition number as the operating system counts; 0 for a disk without a table.</param>
/// <param name="Name">GPT partition name, or empty.</param>
/// <param name="TypeId">GPT type GUID in lower case, or the MBR type as two hex digits.</param>
/// <param name="UniqueId">GPT unique partition GUID in lower case, or empty.</param>
/// <param name="Attributes">GPT attribute bits; for MBR 0x80 when active.</param>
/// <param name="BlockSize">Bytes per bit of the used-block maps: a power of two from the sector size to the chunk size.</param>
/// <param name="ChunkSize">Plain bytes per chunk; the volume's last chunk may be shorter.</param>
/// <param name="Note">Why nothing could be skipped, or another remark for people.</param>
public sealed record VolumeHeader(
    int Number,
    string Name,
    string TypeId,
    string UniqueId,
    ulong Attributes,
    FileSystemKind FileSystem,
    string? Uuid,
    string? Label,
    string? Note,
    long OffsetBytes,
    long SizeBytes,
    int BlockSize,
    int ChunkSize);
