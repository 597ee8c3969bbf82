using System.Buffers.Binary;
using System.Globalization;
using ImageForge.Contracts;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.FileSystems;
using ImageForge.Imaging.Manifests;

namespace ImageForge.Imaging.Deploy;

/// <summary>The image laid out on a larger disk, or why it is not.</summary>
/// <param name="Manifest">Volumes, regions and table at their new places.</param>
/// <param name="Places">One for each volume.</param>
internal sealed record FilledLayout(Manifest Manifest, IReadOnlyList<PlacedVolume> Places, IReadOnlyList<string> Notes, Failure? Failure);

/// <summary>
/// Grows one partition up to the end of a larger disk. What lies behind it (Windows' recovery partition) is moved to the end as a whole,
/// by whole MiB, so that every alignment stays.
/// </summary>
internal static class FillLayout
{
    private const long Step = 1 << 20;

    /// <summary>GRUB's first sector knows by number where the sectors of a BIOS boot partition lie.</summary>
    private const string BiosBoot = "21686148-6449-6e6f-744e-656564454649";

    /// <summary>Nobody means these when a disk is to be filled: EFI system, Microsoft reserved, Windows recovery.</summary>
    private static readonly string[] s_system = [BiosBoot, "c12a7328-f81f-11d2-ba4b-00a0c93ec93b", "e3c9e316-0b5c-4db8-817d-f92df00215ae", "de94bba4-06d1-4d40-a16a-bfd50179d6ac", "0xef", "0x27"];

    /// <param name="marked">Number of the partition to grow; null: the last one that can.</param>
    public static FilledLayout Plan(Manifest image, long diskSizeBytes, int? marked)
    {
        var volumes = image.Volumes;
        var grown = marked is { } number ? IndexOf(volumes, v => v.Header.Partition.Number == number) : LastGrowable(image);
        if (marked is not null && grown < 0)
            return Refuse(image, "growVolumeUnknown", $"The image has no volume {marked} to grow; it has {string.Join(", ", volumes.Select(v => v.Header.Partition.Number))}.", "Name a volume of the image, or leave growVolume out.");
        if (grown < 0)
            return AsCaptured(image, "No volume of the image can be grown: it is laid out as it was captured.");
        var partition = volumes[grown].Header.Partition;
        if (IsLogical(image, partition))
            return Refuse(image, "growVolumeUnsuitable", $"Volume {partition.Number} is a logical partition, which is not grown.", "Name a primary partition, or deploy without filling.");
        if (image.Gpt is { } gpt && MbrReader.IsHybrid(gpt.BootSector))
            return AsCaptured(image, "The disk is not filled: its hybrid MBR lists places that would change.");
        if (volumes.Skip(grown + 1).FirstOrDefault(v => v.Header.Partition.Type == BiosBoot) is { } fixedBoot)
            return AsCaptured(image, $"The disk is not filled: volume {fixedBoot.Header.Partition.Number} behind volume {partition.Number} is a BIOS boot partition, which cannot be moved.");

        var shift = (Limit(image, diskSizeBytes) - End(image)) / Step * Step;
        if (shift <= 0)
            return AsCaptured(image, "The disk has no room to fill.");
        var places = volumes.Select((v, i) => PlacedVolume.AsCaptured(v) with
        {
            Offset = v.Header.Partition.Offset + (i > grown ? shift : 0),
            Length = v.Header.Partition.Length + (i == grown ? shift : 0),
            Change = i < grown ? VolumeChange.Created : i == grown ? VolumeChange.Grown : VolumeChange.Moved,
        }).ToList();
        var notes = new List<string>();
        if (image.Scheme == PartitionScheme.Mbr && grown < volumes.Count - 1)
            notes.Add("Partitions behind the grown one are moved: what starts Windows' recovery from an MBR disk may have to be set again (reagentc /enable).");
        return new FilledLayout(Shifted(image, partition, shift, volumes, places), places, notes, null);
    }

    private static Manifest Shifted(Manifest image, Partition grown, long shift, IReadOnlyList<ManifestVolume> volumes, List<PlacedVolume> places) => image with
    {
        Volumes = [.. volumes.Select((v, i) => places[i].Place(v))],
        Regions = [.. image.Regions.Select(r => r.Kind switch
        {
            RawRegionKind.BootSector when image.Scheme == PartitionScheme.Mbr => r with { Bytes = ShiftMbr(r.Bytes.ToArray(), grown, shift, image.SectorSize) },
            RawRegionKind.Gap or RawRegionKind.Ebr or RawRegionKind.Zeros when r.Offset >= grown.End => r with { Offset = r.Offset + shift },
            _ => r,
        })],
        Gpt = image.Gpt is { } gpt ? gpt with { Entries = ShiftGpt(gpt, grown, shift) } : null,
    };

    private static byte[] ShiftGpt(GptTable table, Partition grown, long shift)
    {
        var entries = (byte[])table.Entries.Clone();
        foreach (var entry in GptEntry.ParseAll(entries, table.EntryCount, table.EntrySize))
        {
            var slot = entries.AsSpan((entry.Number - 1) * table.EntrySize);
            if ((long)entry.FirstLba * table.SectorSize >= grown.End)
                BinaryPrimitives.WriteUInt64LittleEndian(slot[32..], entry.FirstLba + (ulong)(shift / table.SectorSize));
            if ((long)entry.FirstLba * table.SectorSize >= grown.Offset)
                BinaryPrimitives.WriteUInt64LittleEndian(slot[40..], entry.LastLba + (ulong)(shift / table.SectorSize));
        }
        return entries;
    }

    /// <summary>An extended partition moves with all it holds: its chain counts from its own start.</summary>
    private static byte[] ShiftMbr(byte[] sector, Partition grown, long shift, int sectorSize)
    {
        foreach (var entry in MbrEntry.ParseAll(sector))
        {
            var slot = sector.AsSpan(446 + 16 * (entry.Slot - 1), 16);
            var offset = entry.FirstLba * sectorSize;
            if (offset < grown.Offset)
                continue;
            if (offset >= grown.End)
                BinaryPrimitives.WriteUInt32LittleEndian(slot[8..], (uint)(entry.FirstLba + shift / sectorSize));
            else
                BinaryPrimitives.WriteUInt32LittleEndian(slot[12..], (uint)(entry.Sectors + shift / sectorSize));
            // CHS says "use the LBA": whatever it was, it is no longer.
            foreach (var at in (ReadOnlySpan<int>)[1, 5])
                if (at == 5 || offset >= grown.End)
                    ((ReadOnlySpan<byte>)[0xFE, 0xFF, 0xFF]).CopyTo(slot[at..]);
        }
        return sector;
    }

    /// <summary>First byte behind what partitions may use on the target.</summary>
    private static long Limit(Manifest image, long diskSizeBytes)
    {
        var sectors = diskSizeBytes / image.SectorSize;
        if (image.Gpt is { } gpt)
            return (sectors == gpt.DiskSectors ? gpt.LastUsableLba + 1 : sectors - 1 - GptWriter.EntriesSectors(gpt)) * image.SectorSize;
        return image.Scheme == PartitionScheme.Mbr ? Math.Min(sectors, uint.MaxValue) * image.SectorSize : sectors * image.SectorSize;
    }

    /// <summary>First byte behind the last partition; an extended one may reach further than the last volume in it.</summary>
    private static long End(Manifest image)
    {
        var end = image.Volumes[^1].Header.Partition.End;
        foreach (var region in image.Regions.Where(r => image.Scheme == PartitionScheme.Mbr && r.Kind == RawRegionKind.BootSector))
            end = Math.Max(end, MbrReader.MinimumDiskBytes(region.Bytes.Span, image.SectorSize));
        return end;
    }

    private static int LastGrowable(Manifest image)
    {
        for (var i = image.Volumes.Count - 1; i >= 0; i--)
            if (image.Volumes[i].Header is var header && CanGrow(header.FileSystem) && !s_system.Contains(header.Partition.Type) && !IsLogical(image, header.Partition))
                return i;
        return -1;
    }

    /// <summary>Whether the file system itself can be made larger after its partition was.</summary>
    internal static bool CanGrow(FileSystemKind kind) =>
        kind is FileSystemKind.Ext2 or FileSystemKind.Ext3 or FileSystemKind.Ext4 or FileSystemKind.Ntfs or FileSystemKind.Xfs or FileSystemKind.Btrfs;

    private static bool IsLogical(Manifest image, Partition partition) => image.Scheme == PartitionScheme.Mbr && (partition.Number > 4 || partition.Opaque is not null);

    private static int IndexOf(IReadOnlyList<ManifestVolume> volumes, Func<ManifestVolume, bool> fits)
    {
        for (var i = 0; i < volumes.Count; i++)
            if (fits(volumes[i]))
                return i;
        return -1;
    }

    private static FilledLayout AsCaptured(Manifest image, string note) => new(image, [.. image.Volumes.Select(PlacedVolume.AsCaptured)], [note], null);

    private static FilledLayout Refuse(Manifest image, string code, string sentence, string cure) => AsCaptured(image, "") with { Failure = new Failure(code, Fault.Image, sentence, cure) };
}
