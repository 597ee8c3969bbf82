using System.Buffers.Binary;
using System.Globalization;
using ImageForge.Imaging.Disks;

namespace ImageForge.Imaging.Imports.Tables;

/// <summary>An MBR and its chain of extended boot records made from what <c>sfdisk -d</c> said, as FOG and Clonezilla have sfdisk make them.</summary>
internal static class MbrFromDump
{
    private const int EntriesAt = 446, EntryBytes = 16, CodeBytes = 440;
    private static readonly byte[] s_extended = [0x05, 0x0F, 0x85];

    /// <param name="bootSector">LBA 0 of the disk: boot code, and entries that are kept where they say the same.</param>
    /// <param name="firstEbr">First sector of the extended partition, for its boot code; null if it was not kept.</param>
    public static IReadOnlyList<DiskWrite> Make(string name, SfdiskDump dump, byte[]? bootSector, byte[]? firstEbr)
    {
        var sector = new byte[dump.SectorSize];
        bootSector?.AsSpan(0, Math.Min(bootSector.Length, sector.Length)).CopyTo(sector);
        if (dump.LabelId is ['0', 'x', .. var hex] && uint.TryParse(hex, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var signature))
            BinaryPrimitives.WriteUInt32LittleEndian(sector.AsSpan(CodeBytes), signature);
        for (var slot = 1; slot <= 4; slot++)
            SetEntry(sector.AsSpan(EntriesAt + (slot - 1) * EntryBytes, EntryBytes), dump.Partitions.FirstOrDefault(p => p.Number == slot), name, 0);
        (sector[510], sector[511]) = (0x55, 0xAA);
        return [new DiskWrite(0, sector), .. Chain(name, dump, firstEbr)];
    }

    private static IEnumerable<DiskWrite> Chain(string name, SfdiskDump dump, byte[]? firstEbr)
    {
        var logicals = dump.Partitions.Where(p => p.Number > 4).OrderBy(p => p.Number).ToList();
        if (logicals.Count == 0)
            yield break;
        var extended = dump.Partitions.FirstOrDefault(p => p.Number <= 4 && s_extended.Contains(TypeOf(name, p)))
            ?? throw ImportFailures.Damaged(name, "it lists logical partitions and no extended one");
        var places = Places(name, extended, logicals);
        for (var i = 0; i < logicals.Count; i++)
        {
            var sector = new byte[dump.SectorSize];
            if (i == 0)
                firstEbr?.AsSpan(0, Math.Min(firstEbr.Length, EntriesAt)).CopyTo(sector);
            SetEntry(sector.AsSpan(EntriesAt, EntryBytes), logicals[i], name, places[i]);
            if (i + 1 < logicals.Count)
            {
                // The link counts from the extended partition's start and spans the next record with its partition.
                var span = logicals[i + 1].FirstSector + logicals[i + 1].Sectors - places[i + 1];
                SetEntry(sector.AsSpan(EntriesAt + EntryBytes, EntryBytes), new DumpedPartition(0, places[i + 1], span, "5", null, null, null, false), name, extended.FirstSector);
            }
            (sector[510], sector[511]) = (0x55, 0xAA);
            yield return new DiskWrite(places[i] * dump.SectorSize, sector);
        }
    }

    /// <summary>The first record is the first sector of the extended partition; the others lie before their partitions, where fdisk leaves room.</summary>
    private static long[] Places(string name, DumpedPartition extended, List<DumpedPartition> logicals)
    {
        var taken = logicals.Select(p => (p.FirstSector, End: p.FirstSector + p.Sectors)).ToList();
        var places = new long[logicals.Count];
        for (var i = 0; i < places.Length; i++)
        {
            var start = logicals[i].FirstSector;
            var candidates = i == 0 ? [extended.FirstSector] : (long[])[start - 2048, start - 63, start - 2, start - 1];
            var place = Array.Find(candidates, c => c >= extended.FirstSector && c < extended.FirstSector + extended.Sectors && !places.AsSpan(0, i).Contains(c) && taken.TrueForAll(t => c < t.FirstSector || c >= t.End));
            if (place == 0 || place >= start)
                throw ImportFailures.Damaged(name, $"there is no room for the boot record of partition {logicals[i].Number}");
            places[i] = place;
        }
        return places;
    }

    private static void SetEntry(Span<byte> entry, DumpedPartition? partition, string name, long from)
    {
        if (partition is null)
        {
            entry.Clear();
            return;
        }
        var (start, size, type) = (partition.FirstSector - from, partition.Sectors, TypeOf(name, partition));
        if (start is < 1 or > uint.MaxValue || size > uint.MaxValue)
            throw ImportFailures.Damaged(name, $"partition {partition.Number} lies beyond what an MBR can say");
        if (entry[4] == type && BinaryPrimitives.ReadUInt32LittleEndian(entry[8..]) == start && BinaryPrimitives.ReadUInt32LittleEndian(entry[12..]) == size)
            return;
        entry[0] = partition.Bootable ? (byte)0x80 : (byte)0;
        // Cylinders, heads and sectors "beyond what they can say": firmware of this century reads the LBA.
        ((ReadOnlySpan<byte>)[0xFE, 0xFF, 0xFF, type, 0xFE, 0xFF, 0xFF]).CopyTo(entry[1..]);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[8..], (uint)start);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[12..], (uint)size);
    }

    private static byte TypeOf(string name, DumpedPartition partition) =>
        byte.TryParse(partition.Type, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var type) && type != 0
            ? type
            : throw ImportFailures.Damaged(name, $"partition {partition.Number} has no type");
}
