using System.Buffers.Binary;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Manifests;

namespace ImageForge.Imaging.Deploy;

/// <summary>
/// Partitions of an image that become larger or smaller, and what follows behind them: volumes, boot records and table entries move by
/// what the ones before them gained or lost. Nothing here changes content.
/// </summary>
/// <param name="changes">Bytes gained (or lost, negative) by partition number; whole sectors. Not of logical partitions.</param>
internal sealed class Relayout(Manifest image, IReadOnlyDictionary<int, long> changes)
{
    /// <summary>GRUB's first sector knows by number where the sectors of a BIOS boot partition lie: it cannot be moved.</summary>
    private const string BiosBoot = "21686148-6449-6e6f-744e-656564454649";

    public long OffsetOf(Partition partition) => partition.Offset + ShiftAt(partition.Offset);

    public long LengthOf(Partition partition) => partition.Length + changes.GetValueOrDefault(partition.Number);

    /// <summary>Why partitions of this image cannot change their size at all, as the end of a sentence; null: they can.</summary>
    public static string? Obstacle(Manifest image, int changed) =>
        image.Gpt is { } gpt && MbrReader.IsHybrid(gpt.BootSector) ? "its hybrid MBR lists places that would change"
        : image.Volumes.Skip(changed + 1).FirstOrDefault(v => v.Header.Partition.Type == BiosBoot) is { } boot
            ? $"volume {boot.Header.Partition.Number} behind volume {image.Volumes[changed].Header.Partition.Number} is a BIOS boot partition, which cannot be moved"
        : null;

    public static bool IsLogical(Manifest image, Partition partition) => image.Scheme == PartitionScheme.Mbr && (partition.Number > 4 || partition.Opaque is not null);

    /// <summary>First byte behind what partitions may use on a disk of that size.</summary>
    public static long Limit(Manifest image, long diskSizeBytes)
    {
        var sectors = diskSizeBytes / image.SectorSize;
        if (image.Gpt is { } gpt)
            return (sectors == gpt.DiskSectors ? gpt.LastUsableLba + 1 : sectors - 1 - GptWriter.EntriesSectors(gpt)) * image.SectorSize;
        return image.Scheme == PartitionScheme.Mbr ? Math.Min(sectors, uint.MaxValue) * image.SectorSize : sectors * image.SectorSize;
    }

    /// <summary>First byte behind the last partition; an extended one may reach further than the last volume in it.</summary>
    public static long End(Manifest image)
    {
        var end = image.Volumes.Count == 0 ? 0 : image.Volumes[^1].Header.Partition.End;
        foreach (var region in image.Regions.Where(r => image.Scheme == PartitionScheme.Mbr && r.Kind == RawRegionKind.BootSector))
            end = Math.Max(end, MbrReader.MinimumDiskBytes(region.Bytes.Span, image.SectorSize));
        return end;
    }

    /// <summary>Raw regions at their new places, the boot sector of an MBR disk with its new entries.</summary>
    public List<ManifestRegion> Regions() => [.. image.Regions.Select(r => r.Kind switch
    {
        RawRegionKind.BootSector when image.Scheme == PartitionScheme.Mbr => r with { Bytes = Mbr(r.Bytes.ToArray()) },
        RawRegionKind.Gap or RawRegionKind.Ebr or RawRegionKind.Zeros => r with { Offset = r.Offset + ShiftAt(r.Offset) },
        _ => r,
    })];

    /// <summary>The GPT's entries at their new places; null on another disk.</summary>
    public GptTable? Gpt()
    {
        if (image.Gpt is not { } table)
            return null;
        var entries = (byte[])table.Entries.Clone();
        foreach (var entry in GptEntry.ParseAll(entries, table.EntryCount, table.EntrySize))
        {
            var slot = entries.AsSpan((entry.Number - 1) * table.EntrySize);
            var shift = ShiftAt((long)entry.FirstLba * table.SectorSize) / table.SectorSize;
            BinaryPrimitives.WriteInt64LittleEndian(slot[32..], (long)entry.FirstLba + shift);
            BinaryPrimitives.WriteInt64LittleEndian(slot[40..], (long)entry.LastLba + shift + changes.GetValueOrDefault(entry.Number) / table.SectorSize);
        }
        return table with { Entries = entries };
    }

    /// <summary>An extended partition moves with all it holds: its chain counts from its own start.</summary>
    private byte[] Mbr(byte[] sector)
    {
        foreach (var entry in MbrEntry.ParseAll(sector))
        {
            var slot = sector.AsSpan(446 + 16 * (entry.Slot - 1), 16);
            var shift = ShiftAt((long)entry.FirstLba * image.SectorSize) / image.SectorSize;
            var gain = changes.GetValueOrDefault(entry.Slot) / image.SectorSize;
            BinaryPrimitives.WriteUInt32LittleEndian(slot[8..], (uint)(entry.FirstLba + shift));
            BinaryPrimitives.WriteUInt32LittleEndian(slot[12..], (uint)(entry.Sectors + gain));
            // CHS that says "use the LBA": whatever it was, it is no longer.
            if (shift != 0)
                ((ReadOnlySpan<byte>)[0xFE, 0xFF, 0xFF]).CopyTo(slot[1..]);
            if (shift + gain != 0)
                ((ReadOnlySpan<byte>)[0xFE, 0xFF, 0xFF]).CopyTo(slot[5..]);
        }
        return sector;
    }

    private long ShiftAt(long offset) => image.Volumes.Select(v => v.Header.Partition).Where(p => p.End <= offset).Sum(p => changes.GetValueOrDefault(p.Number));
}
