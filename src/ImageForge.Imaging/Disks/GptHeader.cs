using System.Buffers.Binary;

namespace ImageForge.Imaging.Disks;

/// <summary>
/// One GPT header (UEFI 2.10 §5.3.2, table 5.5), little endian:
/// <code>
///  0  8  "EFI PART"           40  8  FirstUsableLBA
///  8  4  revision 0x00010000  48  8  LastUsableLBA (inclusive)
/// 12  4  header size, ≥ 92    56 16  disk GUID
/// 16  4  CRC-32 of the header 72  8  PartitionEntryLBA
///        with this field 0    80  4  number of entries
/// 20  4  reserved, 0          84  4  size of an entry, 128 × 2ⁿ
/// 24  8  MyLBA                88  4  CRC-32 of the entries
/// 32  8  AlternateLBA
/// </code>
/// </summary>
internal sealed record GptHeader(
    long MyLba, long AlternateLba, long FirstUsableLba, long LastUsableLba, Guid DiskGuid,
    long EntriesLba, int EntryCount, int EntrySize, uint EntriesCrc)
{
    public const int Size = 92;

    /// <summary>Sixteen KiB are usual; what claims more than this is damage or an attack.</summary>
    private const int MaxEntriesBytes = 1 << 20;

    private static ReadOnlySpan<byte> Signature => "EFI PART"u8;

    public static bool HasSignature(ReadOnlySpan<byte> sector) => sector.StartsWith(Signature);

    /// <summary>The whole slots area in sectors.</summary>
    public long EntriesSectors(int sectorSize) => ((long)EntryCount * EntrySize + sectorSize - 1) / sectorSize;

    /// <summary>Checks everything a header says about itself and the disk.</summary>
    /// <returns>The header, or the reason it cannot be used, as the end of a sentence.</returns>
    public static (GptHeader? Header, string? Wrong) Parse(ReadOnlySpan<byte> sector, long lba, long diskSectors)
    {
        if (!HasSignature(sector))
            return (null, "has no signature");
        var headerSize = BinaryPrimitives.ReadUInt32LittleEndian(sector[12..]);
        if (headerSize < Size || headerSize > sector.Length)
            return (null, $"claims a size of {headerSize} bytes");
        if (HeaderCrc(sector[..(int)headerSize]) != BinaryPrimitives.ReadUInt32LittleEndian(sector[16..]))
            return (null, "has a wrong checksum");

        ulong U64(ReadOnlySpan<byte> s, int at) => BinaryPrimitives.ReadUInt64LittleEndian(s[at..]);
        var (my, alternate, first, last) = (U64(sector, 24), U64(sector, 32), U64(sector, 40), U64(sector, 48));
        var entriesLba = U64(sector, 72);
        var count = BinaryPrimitives.ReadUInt32LittleEndian(sector[80..]);
        var size = BinaryPrimitives.ReadUInt32LittleEndian(sector[84..]);
        var sectors = (ulong)diskSectors;
        if (my != (ulong)lba)
            return (null, $"says it lies at LBA {my}, not {lba}");
        if (last >= sectors)
            return (null, $"lets partitions reach LBA {last}, and the disk ends at {sectors - 1}");
        if (first > last + 1)
            return (null, $"has its first usable LBA {first} after the last, {last}");
        if (size is < 128 or > 4096 || (size & (size - 1)) != 0)
            return (null, $"has entries of {size} bytes");
        if (count == 0 || (ulong)count * size > MaxEntriesBytes)
            return (null, $"has {count} entries");
        var entriesSectors = ((ulong)count * size + (ulong)sector.Length - 1) / (ulong)sector.Length;
        if (entriesLba < 2 || entriesLba >= sectors || entriesSectors > sectors - entriesLba)
            return (null, $"has its entries at LBA {entriesLba}, outside the disk");
        // The first copy lies before the room for partitions, the second after it (§5.3.1).
        var isPrimary = lba == 1;
        if (isPrimary ? entriesLba + entriesSectors > first : entriesLba <= last)
            return (null, "has its entries inside the room for partitions");
        if (!isPrimary && (my <= last || my >= entriesLba && my < entriesLba + entriesSectors))
            return (null, "lies inside the room for partitions or entries");
        return (new GptHeader((long)my, alternate >= sectors ? -1 : (long)alternate, (long)first, (long)last, new Guid(sector.Slice(56, 16)),
            (long)entriesLba, (int)count, (int)size, BinaryPrimitives.ReadUInt32LittleEndian(sector[88..])), null);
    }

    /// <summary>One sector with both checksums right.</summary>
    public byte[] ToSector(int sectorSize)
    {
        var sector = new byte[sectorSize];
        Signature.CopyTo(sector);
        BinaryPrimitives.WriteUInt32LittleEndian(sector.AsSpan(8), 0x0001_0000);
        BinaryPrimitives.WriteUInt32LittleEndian(sector.AsSpan(12), Size);
        BinaryPrimitives.WriteInt64LittleEndian(sector.AsSpan(24), MyLba);
        BinaryPrimitives.WriteInt64LittleEndian(sector.AsSpan(32), AlternateLba);
        BinaryPrimitives.WriteInt64LittleEndian(sector.AsSpan(40), FirstUsableLba);
        BinaryPrimitives.WriteInt64LittleEndian(sector.AsSpan(48), LastUsableLba);
        DiskGuid.TryWriteBytes(sector.AsSpan(56));
        BinaryPrimitives.WriteInt64LittleEndian(sector.AsSpan(72), EntriesLba);
        BinaryPrimitives.WriteInt32LittleEndian(sector.AsSpan(80), EntryCount);
        BinaryPrimitives.WriteInt32LittleEndian(sector.AsSpan(84), EntrySize);
        BinaryPrimitives.WriteUInt32LittleEndian(sector.AsSpan(88), EntriesCrc);
        BinaryPrimitives.WriteUInt32LittleEndian(sector.AsSpan(16), HeaderCrc(sector.AsSpan(0, Size)));
        return sector;
    }

    private static uint HeaderCrc(ReadOnlySpan<byte> header)
    {
        var copy = header.ToArray();
        copy.AsSpan(16, 4).Clear();
        return Crc32.Ieee(copy);
    }
}
