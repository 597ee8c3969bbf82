using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using ImageForge.Imaging.Disks;

namespace ImageForge.Imaging.Imports.Tables;

/// <summary>A GPT made from what <c>sfdisk -d</c> said: 128 slots of 128 bytes, as sfdisk itself makes them.</summary>
internal static class GptFromDump
{
    private const int Slots = 128, SlotBytes = 128, NameBytes = 72;

    /// <param name="bootSector">LBA 0 with boot code and protective entry; null: a plain protective one is made.</param>
    public static GptTable Make(string name, SfdiskDump dump, byte[]? bootSector)
    {
        var slotSectors = Slots * SlotBytes / dump.SectorSize;
        var last = Math.Max(dump.LastLba ?? 0, dump.EndSector - 1);
        if (last is < 34 or >= 1L << 41)
            throw ImportFailures.Damaged(name, $"it ends at LBA {last}");
        var sectors = last + 1 + slotSectors + 1;
        var entries = new byte[Slots * SlotBytes];
        foreach (var partition in dump.Partitions)
        {
            if (partition.Number > Slots || !Guid.TryParse(partition.Type, out var type))
                throw ImportFailures.Damaged(name, $"partition {partition.Number} has no type");
            Fill(entries.AsSpan((partition.Number - 1) * SlotBytes, SlotBytes), partition, type);
        }
        return new GptTable(dump.SectorSize, sectors, Guid.TryParse(dump.LabelId, out var disk) ? disk : Guid.CreateVersion7(),
            dump.FirstLba is { } first && first >= 2 + slotSectors ? first : 2 + slotSectors, last, 2, sectors - 1 - slotSectors, sectors - 1,
            Slots, SlotBytes, entries, bootSector ?? Protective(sectors, dump.SectorSize));
    }

    private static void Fill(Span<byte> slot, DumpedPartition partition, Guid type)
    {
        type.TryWriteBytes(slot);
        (partition.Unique ?? Guid.CreateVersion7()).TryWriteBytes(slot[16..]);
        BinaryPrimitives.WriteInt64LittleEndian(slot[32..], partition.FirstSector);
        BinaryPrimitives.WriteInt64LittleEndian(slot[40..], partition.FirstSector + partition.Sectors - 1);
        BinaryPrimitives.WriteUInt64LittleEndian(slot[48..], Attributes(partition.Attributes));
        var name = Encoding.Unicode.GetBytes(partition.Name ?? "").AsSpan();
        name[..Math.Min(name.Length, NameBytes)].CopyTo(slot[56..]);
    }

    /// <summary>libfdisk's names for the bits of UEFI 2.10 table 5.8.</summary>
    private static ulong Attributes(string? text)
    {
        ulong bits = 0;
        foreach (var word in (text ?? "").Split((char[])[' ', ','], StringSplitOptions.RemoveEmptyEntries))
        {
            bits |= word switch
            {
                "RequiredPartition" or "RequiredPartiton" => 1,
                "NoBlockIOProtocol" => 2,
                "LegacyBIOSBootable" => 4,
                _ => 0,
            };
            // "GUID:63", and "GUID:60,63" whose second number stands alone here.
            var digits = word.StartsWith("GUID:", StringComparison.Ordinal) ? word.AsSpan(5) : word;
            if (int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var bit) && bit is >= 48 and <= 63)
                bits |= 1UL << bit;
        }
        return bits;
    }

    private static byte[] Protective(long sectors, int sectorSize)
    {
        var sector = new byte[sectorSize];
        // UEFI 2.10 table 5.4: CHS 0/0/2 to the largest there is, type 0xEE, from LBA 1.
        ((ReadOnlySpan<byte>)[0, 0, 2, 0, 0xEE, 0xFF, 0xFF, 0xFF, 1, 0, 0, 0]).CopyTo(sector.AsSpan(446));
        BinaryPrimitives.WriteUInt32LittleEndian(sector.AsSpan(458), (uint)Math.Min(sectors - 1, uint.MaxValue));
        (sector[510], sector[511]) = (0x55, 0xAA);
        return sector;
    }
}
