using System.Buffers.Binary;
using System.Globalization;
using ImageForge.Contracts;

namespace ImageForge.Imaging.Disks;

/// <summary>
/// The master boot record (UEFI 2.10 §5.2.1): boot code 0–439, disk signature 440–443, four entries of 16 bytes from 446,
/// 0x55 0xAA at 510. An entry: boot indicator (0x00 or 0x80), 3 bytes CHS, type, 3 bytes CHS, first LBA and number of sectors
/// (32 bits each, in logical sectors).
/// </summary>
internal static class MbrReader
{
    private const byte Protective = 0xEE;

    private readonly record struct Entry(int Number, byte Boot, byte Type, uint FirstLba, uint Sectors)
    {
        public bool IsExtended => Type is 0x05 or 0x0F or 0x85;
        public ulong EndLba => (ulong)FirstLba + Sectors;
    }

    public static bool HasSignature(ReadOnlySpan<byte> sector) => sector[510] == 0x55 && sector[511] == 0xAA;

    /// <summary>Announces a GPT: an entry of type 0xEE.</summary>
    public static bool IsProtective(ReadOnlySpan<byte> sector) => HasSignature(sector) && Entries(sector).Exists(entry => entry.Type == Protective);

    /// <summary>Announces a GPT and lists other partitions as well.</summary>
    public static bool IsHybrid(ReadOnlySpan<byte> sector) => IsProtective(sector) && Entries(sector).Exists(entry => entry.Type != Protective);

    /// <summary>Whether LBA 0 carries at least one entry and nothing in the four speaks against an MBR: other boot sectors end with 0x55 0xAA too.</summary>
    public static bool LooksLikeTable(ReadOnlySpan<byte> sector)
    {
        if (!HasSignature(sector))
            return false;
        for (var i = 0; i < 4; i++)
            if (sector[446 + 16 * i] is not (0x00 or 0x80))
                return false;
        return Entries(sector).Count > 0;
    }

    public static PartitionTableReading Read(IBlockDevice disk, byte[] bootSector)
    {
        var sectors = (ulong)(disk.SizeBytes / disk.SectorSize);
        var entries = Entries(bootSector);
        foreach (var entry in entries)
            if (entry.FirstLba == 0 || entry.EndLba > sectors)
                return Unusable(disk, $"partition {entry.Number} spans LBA {entry.FirstLba} to {(long)entry.EndLba - 1}, and the disk has {sectors} sectors");
        entries.Sort((a, b) => a.FirstLba.CompareTo(b.FirstLba));
        for (var i = 1; i < entries.Count; i++)
            if (entries[i].FirstLba < entries[i - 1].EndLba)
                return Unusable(disk, $"partitions {entries[i - 1].Number} and {entries[i].Number} overlap");

        var signature = BinaryPrimitives.ReadUInt32LittleEndian(bootSector.AsSpan(440));
        var notes = new List<string>();
        if (entries.Exists(entry => entry.IsExtended))
            notes.Add("The extended partition is taken as one piece, with every block: logical drives are not looked into.");
        var partitions = entries.ConvertAll(entry => ToPartition(entry, signature, disk.SectorSize));
        return new PartitionTableReading.Found(new DiskLayout(PartitionScheme.Mbr, disk.SizeBytes, disk.SectorSize, partitions,
            RawRegions(disk.SectorSize, partitions[0].Offset), null, new MbrTable(bootSector, signature), notes));
    }

    /// <summary>The new protective entry's size for a disk of another size; everything else in the sector stays.</summary>
    public static byte[] WithProtectiveSize(byte[] bootSector, long oldSectors, long newSectors)
    {
        var sector = (byte[])bootSector.Clone();
        if (!HasSignature(sector) || oldSectors == newSectors)
            return sector;
        foreach (var entry in Entries(sector))
        {
            // A hybrid's entry may end before a listed partition: then it says nothing about the disk's size.
            if (entry.Type != Protective || entry.FirstLba != 1 || IsHybrid(sector) && entry.Sectors != ClampedSize(oldSectors))
                continue;
            BinaryPrimitives.WriteUInt32LittleEndian(sector.AsSpan(446 + 16 * (entry.Number - 1) + 12), ClampedSize(newSectors));
        }
        return sector;
    }

    private static uint ClampedSize(long diskSectors) => (uint)Math.Min(diskSectors - 1, uint.MaxValue);

    private static List<Entry> Entries(ReadOnlySpan<byte> sector)
    {
        var entries = new List<Entry>(4);
        for (var i = 0; i < 4; i++)
        {
            var slot = sector.Slice(446 + 16 * i, 16);
            var entry = new Entry(i + 1, slot[0], slot[4], BinaryPrimitives.ReadUInt32LittleEndian(slot[8..]), BinaryPrimitives.ReadUInt32LittleEndian(slot[12..]));
            if (entry.Type != 0 && entry.Sectors != 0)
                entries.Add(entry);
        }
        return entries;
    }

    private static Partition ToPartition(Entry entry, uint signature, int sectorSize) => new(
        entry.Number, (long)entry.FirstLba * sectorSize, (long)entry.Sectors * sectorSize, $"0x{entry.Type:x2}",
        string.Create(CultureInfo.InvariantCulture, $"{signature:x8}-{entry.Number:x2}"), null, entry.Boot)
    {
        Opaque = entry.IsExtended ? "An extended partition: taken with every block." : null,
    };

    private static List<RawRegion> RawRegions(long sector, long firstPartition)
    {
        var regions = new List<RawRegion> { new(0, sector, RawRegionKind.BootSector) };
        if (firstPartition > sector)
            regions.Add(new(sector, Math.Min(firstPartition - sector, RawRegion.MaxGap), RawRegionKind.Gap));
        return regions;
    }

    private static PartitionTableReading.Unusable Unusable(IBlockDevice disk, string wrong) => new(new Failure("mbrInvalid", Fault.Disk,
        $"The MBR partition table of {disk.Name} is invalid: {wrong}.", "Repair the partition table with fdisk on the machine itself, or capture another disk."));
}
