using System.Buffers.Binary;
using ImageForge.Imaging.Disks;

namespace ImageForge.Imaging.Imports.Tables;

/// <summary>The first copy of a GPT with its boot sector, as other programs keep it in one file. Sectors of 512 bytes.</summary>
/// <param name="BootSector">LBA 0.</param>
/// <param name="DiskSectors">By the place of the second header.</param>
internal sealed record GptPieces(byte[] BootSector, GptHeader Header, byte[] Entries, long DiskSectors)
{
    private const int Sector = 512;

    /// <summary>1 PiB.</summary>
    private const ulong MaxSectors = 1UL << 41;

    /// <summary><c>sgdisk --backup</c> (FOG's <c>d1.mbr</c>, Clonezilla's <c>-gpt.gdisk</c>): boot sector, first header, second header, entries (sgdisk(8), -b).</summary>
    public static GptPieces? FromSgdiskBackup(ReadOnlySpan<byte> file) => Read(file, 3 * Sector);

    /// <summary>Clonezilla's <c>-gpt-1st</c>: the first 34 sectors of the disk.</summary>
    public static GptPieces? FromDiskStart(ReadOnlySpan<byte> file) => Read(file, 2 * Sector);

    public GptTable ToTable() => new(Sector, DiskSectors, Header.DiskGuid, Header.FirstUsableLba, Header.LastUsableLba, Header.EntriesLba,
        DiskSectors - 1 - Header.EntriesSectors(Sector), DiskSectors - 1, Header.EntryCount, Header.EntrySize, Entries, BootSector);

    /// <summary>Null if it is not what it should be: the other descriptions of the table count then.</summary>
    private static GptPieces? Read(ReadOnlySpan<byte> file, int entriesAt)
    {
        if (file.Length < entriesAt)
            return null;
        var header = file.Slice(Sector, Sector);
        var end = BinaryPrimitives.ReadUInt64LittleEndian(header[32..]);
        if (end is < 34 or > MaxSectors)
            return null;
        var (parsed, _) = GptHeader.Parse(header, 1, (long)end + 1);
        var bytes = parsed is null ? 0 : parsed.EntryCount * parsed.EntrySize;
        if (parsed is null || file.Length < entriesAt + bytes)
            return null;
        var entries = file.Slice(entriesAt, bytes);
        return Crc32.Ieee(entries) == parsed.EntriesCrc ? new GptPieces(file[..Sector].ToArray(), parsed, entries.ToArray(), (long)end + 1) : null;
    }
}
