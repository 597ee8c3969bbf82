using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.FileSystems;

namespace ImageForge.Imaging.Manifests;

/// <summary>One captured disk: its geometry, its tables and which chunks make which volume. Immutable; the format is in README.md.</summary>
/// <param name="DiskSizeBytes">Size of the disk the image was taken from.</param>
/// <param name="SectorSize">Logical sector size in bytes, 512 or 4096; an image fits only disks with the same one.</param>
/// <param name="DiskModel">For people only.</param>
/// <param name="Gpt">The table as structure when the scheme is GPT, else null.</param>
/// <param name="Regions">Raw bytes outside every volume as they stood on the source: boot sector, gap, GPT copies. In disk order, not overlapping.</param>
/// <param name="Volumes">In disk order, not overlapping.</param>
public sealed record Manifest(
    long DiskSizeBytes,
    int SectorSize,
    string? DiskModel,
    PartitionScheme Scheme,
    GptTable? Gpt,
    IReadOnlyList<ManifestRegion> Regions,
    IReadOnlyList<ManifestVolume> Volumes)
{
    /// <summary>Bytes of used blocks over all volumes.</summary>
    public long UsedBytes => Volumes.Sum(v => v.UsedBytes);

    /// <summary>Bytes of plain data chunks over all volumes: what a deploy onto a blank disk has to fetch at most, before compression.</summary>
    public long DataBytes => Volumes.Sum(v => v.DataBytes);

    /// <summary>Bytes that the source disk could not read; 0: the image is whole.</summary>
    public long DamagedBytes => Volumes.Sum(v => v.Damaged.Sum(r => r.Length));

    /// <summary>One sentence per volume with sectors that could not be read; empty: the image is whole.</summary>
    public IEnumerable<string> DamageNotes() =>
        from volume in Volumes
        where volume.Damaged.Count > 0
        let bytes = volume.Damaged.Sum(r => r.Length)
        select $"Volume {volume.Header.Partition.Number} is damaged: {bytes} bytes in use could not be read from the source disk and are zeros (its sectors {DamagedRange.Describe(volume.Damaged, volume.Header.Partition.Offset, SectorSize)}).";

    /// <summary>Every data chunk with its plain length, in disk order; an id that occurs several times is listed each time.</summary>
    public IEnumerable<(ChunkId Id, int PlainLength)> DataChunks() =>
        from volume in Volumes from chunk in volume.Chunks() where chunk.Kind == ChunkKind.Data select (chunk.Id, chunk.Length);
}

/// <param name="Offset">Bytes from the start of the disk, a multiple of the sector size.</param>
/// <param name="Bytes">Whole sectors; empty for <see cref="RawRegionKind.Zeros"/>.</param>
/// <param name="ZeroBytes">Length of a region of kind <see cref="RawRegionKind.Zeros"/>, else 0.</param>
public sealed record ManifestRegion(RawRegionKind Kind, long Offset, ReadOnlyMemory<byte> Bytes, int ZeroBytes = 0)
{
    public int Length => Bytes.Length + ZeroBytes;

    /// <summary>First byte after it.</summary>
    public long End => Offset + Length;
}

/// <summary>What the partition table and the file system say about a volume.</summary>
/// <param name="Partition">Number, place, type, name and attributes as read from the table.</param>
/// <param name="Uuid">Of the file system, as is <paramref name="Label"/>.</param>
/// <param name="Note">Why nothing could be skipped, or another remark for people.</param>
/// <param name="BlockSize">Bytes per bit of the used-block maps: a power of two from the sector size to the chunk size.</param>
/// <param name="ChunkSize">Plain bytes per chunk; the volume's last chunk may be shorter.</param>
public sealed record VolumeHeader(
    Partition Partition,
    FileSystemKind FileSystem,
    string? Uuid,
    string? Label,
    string? Note,
    int BlockSize,
    int ChunkSize)
{
    /// <summary>Chunks that cover the whole volume; the last one may be short.</summary>
    public int ChunkCount => checked((int)((Partition.Length + ChunkSize - 1) / ChunkSize));

    /// <summary>Plain bytes of the chunk at <paramref name="index"/>.</summary>
    public int ChunkLength(int index) => (int)Math.Min(ChunkSize, Partition.Length - (long)index * ChunkSize);

    /// <summary>Blocks in the chunk at <paramref name="index"/>; the volume's last block may be partial.</summary>
    public int ChunkBlocks(int index) => (ChunkLength(index) + BlockSize - 1) / BlockSize;
}
