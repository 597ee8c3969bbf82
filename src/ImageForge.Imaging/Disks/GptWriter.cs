namespace ImageForge.Imaging.Disks;

/// <summary>Bytes that belong at an offset of the disk; the offset and length are multiples of the sector size.</summary>
public sealed record DiskWrite(long Offset, byte[] Bytes);

/// <summary>Makes the sectors of a GPT; the caller decides when each is written. Nothing here touches a disk.</summary>
public static class GptWriter
{
    /// <summary>Smallest disk in bytes on which every partition of the table and both copies fit.</summary>
    public static long MinimumDiskBytes(GptTable table)
    {
        var last = table.FirstUsableLba - 1;
        foreach (var entry in GptEntry.ParseAll(table.Entries, table.EntryCount, table.EntrySize))
            last = Math.Max(last, (long)entry.LastLba);
        return (last + 1 + EntriesSectors(table) + 1) * table.SectorSize;
    }

    /// <summary>
    /// Both copies for a disk of <paramref name="diskBytes"/>: the backup moved to its end, AlternateLBA, LastUsableLBA, the
    /// protective MBR's size and all CRCs made anew; boot code and entries unchanged. For the size it was read from the result is
    /// what stood there. In the order to write: backup entries, backup header, primary entries, primary header, LBA 0 last.
    /// </summary>
    /// <exception cref="ArgumentException">The disk is smaller than <see cref="MinimumDiskBytes"/>, or its sectors differ from the table's.</exception>
    public static IReadOnlyList<DiskWrite> Rebuild(GptTable table, long diskBytes, int sectorSize)
    {
        if (sectorSize != table.SectorSize)
            throw new ArgumentException($"the table is for sectors of {table.SectorSize} bytes, not {sectorSize}", nameof(sectorSize));
        if (diskBytes < MinimumDiskBytes(table))
            throw new ArgumentException($"the table needs {MinimumDiskBytes(table)} bytes, the disk has {diskBytes}", nameof(diskBytes));

        var sectors = diskBytes / sectorSize;
        var entriesSectors = EntriesSectors(table);
        var backupLba = sectors - 1;
        // On a disk of the same size keep what the maker chose: Windows aligns its last usable LBA, others do not.
        var unmoved = sectors == table.DiskSectors && table.BackupHeaderLba == backupLba
            && table.BackupEntriesLba > table.LastUsableLba && table.BackupEntriesLba + entriesSectors <= backupLba;
        var backupEntriesLba = unmoved ? table.BackupEntriesLba : backupLba - entriesSectors;
        var lastUsable = unmoved ? table.LastUsableLba : backupEntriesLba - 1;

        var slots = new byte[entriesSectors * sectorSize];
        table.Entries.CopyTo(slots, 0);
        var primary = new GptHeader(1, backupLba, table.FirstUsableLba, lastUsable, table.DiskGuid,
            table.PrimaryEntriesLba, table.EntryCount, table.EntrySize, Crc32.Ieee(table.Entries));
        var backup = primary with { MyLba = backupLba, AlternateLba = 1, EntriesLba = backupEntriesLba };
        return
        [
            new(backupEntriesLba * sectorSize, slots),
            new(backupLba * sectorSize, backup.ToSector(sectorSize)),
            new(table.PrimaryEntriesLba * sectorSize, slots),
            new(sectorSize, primary.ToSector(sectorSize)),
            new(0, MbrReader.WithProtectiveSize(table.BootSector, table.DiskSectors, sectors)),
        ];
    }

    /// <summary>Zeros over LBA 0, LBA 1 and the last LBA: no firmware finds a boot record or either GPT header afterwards.</summary>
    public static IReadOnlyList<DiskWrite> Invalidate(long diskBytes, int sectorSize) =>
        [new(0, new byte[sectorSize]), new(sectorSize, new byte[sectorSize]), new(diskBytes / sectorSize * sectorSize - sectorSize, new byte[sectorSize])];

    internal static long EntriesSectors(GptTable table) => (table.Entries.Length + table.SectorSize - 1L) / table.SectorSize;
}
