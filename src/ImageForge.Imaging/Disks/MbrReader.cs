using System.Buffers.Binary;
using System.Globalization;
using ImageForge.Contracts;

namespace ImageForge.Imaging.Disks;

/// <summary>
/// The master boot record (UEFI 2.10 §5.2.1): boot code 0–439, disk signature 440–443, four entries (<see cref="MbrEntry"/>), 0x55 0xAA
/// at 510. Extended partitions are read as the chain they hold (<see cref="EbrChain"/>) and are no volumes themselves.
/// </summary>
internal static class MbrReader
{
    public static bool HasSignature(ReadOnlySpan<byte> sector) => MbrEntry.HasSignature(sector);

    /// <summary>Announces a GPT: an entry of type 0xEE.</summary>
    public static bool IsProtective(ReadOnlySpan<byte> sector) => HasSignature(sector) && MbrEntry.ParseAll(sector).Exists(entry => entry.Type == MbrEntry.Protective);

    /// <summary>Announces a GPT and lists other partitions as well.</summary>
    public static bool IsHybrid(ReadOnlySpan<byte> sector) => IsProtective(sector) && MbrEntry.ParseAll(sector).Exists(entry => entry.Type != MbrEntry.Protective);

    /// <summary>Whether LBA 0 carries at least one entry and nothing in the four speaks against an MBR: other boot sectors end with 0x55 0xAA too.</summary>
    public static bool LooksLikeTable(ReadOnlySpan<byte> sector)
    {
        if (!HasSignature(sector))
            return false;
        for (var i = 0; i < 4; i++)
            if (sector[446 + 16 * i] is not (0x00 or 0x80))
                return false;
        return MbrEntry.ParseAll(sector).Count > 0;
    }

    /// <summary>Smallest disk in bytes on which every partition of the table fits, extended ones included.</summary>
    public static long MinimumDiskBytes(ReadOnlySpan<byte> bootSector, int sectorSize) =>
        MbrEntry.ParseAll(bootSector).Max(entry => (long?)entry.EndLba) * sectorSize ?? sectorSize;

    public static PartitionTableReading Read(IBlockDevice disk, byte[] bootSector)
    {
        var sectors = (ulong)(disk.SizeBytes / disk.SectorSize);
        var entries = MbrEntry.ParseAll(bootSector);
        foreach (var entry in entries)
            if (entry.FirstLba == 0 || entry.EndLba > sectors)
                return Unusable(disk, $"partition {entry.Slot} spans LBA {entry.FirstLba} to {(long)entry.EndLba - 1}, and the disk has {sectors} sectors");
        var inOrder = entries.OrderBy(entry => entry.FirstLba).ToList();
        for (var i = 1; i < inOrder.Count; i++)
            if (inOrder[i].FirstLba < inOrder[i - 1].EndLba)
                return Unusable(disk, $"partitions {inOrder[i - 1].Slot} and {inOrder[i].Slot} overlap");

        var signature = BinaryPrimitives.ReadUInt32LittleEndian(bootSector.AsSpan(440));
        var (partitions, regions, notes) = (new List<Partition>(), HeadRegions(disk.SectorSize, inOrder[0].FirstLba), new List<string>());
        foreach (var entry in entries)
        {
            if (!entry.IsExtended)
                partitions.Add(ToPartition(entry.Slot, entry.FirstLba, entry.Sectors, entry.Type, entry.Boot, signature, disk.SectorSize));
            else if (AddLogicals(disk, entry, signature, partitions, regions, notes) is { } wrong)
                return Unusable(disk, wrong);
        }
        return new PartitionTableReading.Found(new DiskLayout(PartitionScheme.Mbr, disk.SizeBytes, disk.SectorSize,
            [.. partitions.OrderBy(p => p.Offset)], [.. regions.OrderBy(r => r.Offset)], null, new MbrTable(bootSector, signature), notes));
    }

    /// <returns>What is wrong with the chain, as the end of a sentence, or null.</returns>
    private static string? AddLogicals(IBlockDevice disk, MbrEntry extended, uint signature, List<Partition> partitions, List<RawRegion> regions, List<string> notes)
    {
        var (chain, wrong, odd) = EbrChain.Read(disk, extended);
        if (wrong is not null)
            return wrong;
        var number = Math.Max(5, partitions.Select(p => p.Number + 1).DefaultIfEmpty().Max());
        var more = chain is null ? [] : EbrRegions.Read(disk, chain);
        if (number + chain?.Logicals.Count > 256)
            return "it has more partitions than Linux shows";
        if (regions.Concat(more).Where(r => r.Kind == RawRegionKind.Ebr).Sum(r => r.Length) > EbrRegions.MaxContent)
            odd = "has boot code before too many of its partitions";
        if (odd is not null)
        {
            notes.Add($"Extended partition {extended.Slot} {odd}: it is taken as one piece, with every block.");
            partitions.Add(ToPartition(extended.Slot, extended.FirstLba, extended.Sectors, extended.Type, extended.Boot, signature, disk.SectorSize) with
            {
                Opaque = $"An extended partition that {odd}: taken with every block.",
            });
            return null;
        }
        if (chain!.Logicals.Count == 0)
            notes.Add($"Extended partition {extended.Slot} holds no logical partition.");
        partitions.AddRange(chain.Logicals.Select(l => ToPartition(number++, l.FirstLba, l.Sectors, l.Type, l.Boot, signature, disk.SectorSize)));
        regions.AddRange(more);
        return null;
    }

    /// <summary>The new protective entry's size for a disk of another size; everything else in the sector stays.</summary>
    public static byte[] WithProtectiveSize(byte[] bootSector, long oldSectors, long newSectors)
    {
        var sector = (byte[])bootSector.Clone();
        if (!HasSignature(sector) || oldSectors == newSectors)
            return sector;
        foreach (var entry in MbrEntry.ParseAll(sector))
        {
            // A hybrid's entry may end before a listed partition: then it says nothing about the disk's size.
            if (entry.Type != MbrEntry.Protective || entry.FirstLba != 1 || IsHybrid(sector) && entry.Sectors != ClampedSize(oldSectors))
                continue;
            BinaryPrimitives.WriteUInt32LittleEndian(sector.AsSpan(446 + 16 * (entry.Slot - 1) + 12), ClampedSize(newSectors));
        }
        return sector;
    }

    private static uint ClampedSize(long diskSectors) => (uint)Math.Min(diskSectors - 1, uint.MaxValue);

    private static Partition ToPartition(int number, long firstLba, long sectors, byte type, byte boot, uint signature, int sectorSize) => new(
        number, firstLba * sectorSize, sectors * sectorSize, $"0x{type:x2}",
        string.Create(CultureInfo.InvariantCulture, $"{signature:x8}-{number:x2}"), null, boot)
    {
        Opaque = type == 0x41 ? "A PReP boot partition: boot code, taken with every block." : null,
    };

    private static List<RawRegion> HeadRegions(long sector, long firstLba)
    {
        var regions = new List<RawRegion> { new(0, sector, RawRegionKind.BootSector) };
        if (firstLba > 1)
            regions.Add(new(sector, Math.Min((firstLba - 1) * sector, RawRegion.MaxGap), RawRegionKind.Gap));
        return regions;
    }

    private static PartitionTableReading.Unusable Unusable(IBlockDevice disk, string wrong) => new(new Failure("mbrInvalid", Fault.Disk,
        $"The MBR partition table of {disk.Name} is invalid: {wrong}.", "Repair the partition table with fdisk on the machine itself, or capture another disk."));
}
