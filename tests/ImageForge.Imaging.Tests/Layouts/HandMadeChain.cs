using System.Buffers.Binary;

namespace ImageForge.Imaging.Tests.Layouts;

/// <summary>An extended partition with boot records exactly as told: what fdisk makes only after a history, or never.</summary>
internal static class HandMadeChain
{
    /// <param name="records">LBA of each record in chain order, then of its partition and the partition's sectors; 0 sectors: none.</param>
    public static void Write(MadeDisk disk, uint start, uint sectors, params (uint Record, uint First, uint Sectors)[] records)
    {
        var mbr = new byte[disk.SectorSize];
        BinaryPrimitives.WriteUInt32LittleEndian(mbr.AsSpan(440), 0xdeadbeef);
        Entry(mbr, 0, 0x05, start, sectors);
        disk.Write(0, mbr);
        for (var i = 0; i < records.Length; i++)
        {
            var ebr = new byte[disk.SectorSize];
            Entry(ebr, 0, 0x83, records[i].Sectors == 0 ? 0 : records[i].First - records[i].Record, records[i].Sectors);
            if (i + 1 < records.Length)
                Entry(ebr, 1, 0x05, records[i + 1].Record - start, 4096);
            disk.Write(records[i].Record * (long)disk.SectorSize, ebr);
        }
    }

    public static void Entry(Span<byte> sector, int slot, byte type, uint first, uint sectors)
    {
        var entry = sector.Slice(446 + 16 * slot, 16);
        entry[4] = sectors == 0 ? (byte)0 : type;
        BinaryPrimitives.WriteUInt32LittleEndian(entry[8..], first);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[12..], sectors);
        (sector[510], sector[511]) = (0x55, 0xAA);
    }
}
