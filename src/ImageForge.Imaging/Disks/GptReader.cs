using ImageForge.Contracts;

namespace ImageForge.Imaging.Disks;

/// <summary>Reads both copies of a GPT and decides which one counts.</summary>
internal static class GptReader
{
    private const string Cure = "Repair the partition table with gdisk or sgdisk -e/-b on the machine itself, or capture another disk.";

    private sealed record Copy(GptHeader? Header, byte[]? Entries, string? Wrong);

    public static PartitionTableReading Read(IBlockDevice disk, byte[] bootSector)
    {
        var sectors = disk.SizeBytes / disk.SectorSize;
        var primary = ReadCopy(disk, 1, sectors);
        // Firmware looks for the second copy where the first says, and at the last LBA (UEFI 2.10 §5.3.2).
        var last = sectors - 1;
        var backupLba = primary.Header is { AlternateLba: > 1 } header ? header.AlternateLba : last;
        var backup = ReadCopy(disk, backupLba, sectors);
        if (backup.Header is null && backupLba != last)
            backup = ReadCopy(disk, last, sectors);

        if ((primary.Header is null ? backup : primary) is not { Header: { } best, Entries: { } entries })
            return Unusable("gptDamaged", $"Both copies of the GUID partition table of {disk.Name} are damaged: the first {primary.Wrong}{OtherSectorSize(disk)}, the second {backup.Wrong}.");

        if (primary.Header is null && best.FirstUsableLba < 2 + best.EntriesSectors(disk.SectorSize))
            return Unusable("gptInvalid", $"The GUID partition table of {disk.Name} is invalid: its second copy leaves no room for the first.");
        var used = GptEntry.ParseAll(entries, best.EntryCount, best.EntrySize);
        if (FindBadEntry(used, best) is { } wrong)
            return Unusable("gptInvalid", $"The GUID partition table of {disk.Name} is invalid: {wrong}.");

        var notes = new List<string>();
        if (primary.Header is null)
            notes.Add($"The first copy of the partition table {primary.Wrong}; the second one was used.");
        if (backup.Header is null)
            notes.Add($"The second copy of the partition table {backup.Wrong}; the first one was used.");
        if (primary.Header is not null && backup.Header is not null && !primary.Entries!.AsSpan().SequenceEqual(backup.Entries))
            notes.Add("The two copies of the partition table differ; the first one was used.");
        if (backup.Header is { } second && second.MyLba != last)
            notes.Add($"The second copy of the partition table is not at the end of the disk but at LBA {second.MyLba} of {sectors}: the disk has grown.");
        if (MbrReader.IsHybrid(bootSector))
            notes.Add("The protective MBR is a hybrid: it lists partitions of its own, which are kept as they are.");
        if (!MbrReader.HasSignature(bootSector))
            notes.Add("The protective MBR is missing.");

        var entriesSectors = best.EntriesSectors(disk.SectorSize);
        var backupHeaderLba = backup.Header?.MyLba ?? last;
        var table = new GptTable(disk.SectorSize, sectors, best.DiskGuid, best.FirstUsableLba, best.LastUsableLba,
            primary.Header?.EntriesLba ?? 2, backup.Header?.EntriesLba ?? backupHeaderLba - entriesSectors, backupHeaderLba,
            best.EntryCount, best.EntrySize, entries, bootSector);
        var partitions = used.Select(entry => entry.ToPartition(disk.SectorSize)).OrderBy(partition => partition.Offset).ToList();
        return new PartitionTableReading.Found(new DiskLayout(PartitionScheme.Gpt, disk.SizeBytes, disk.SectorSize, partitions,
            RawRegions(table, partitions), table, null, notes));
    }

    private static Copy ReadCopy(IBlockDevice disk, long lba, long sectors)
    {
        if (lba < 1 || lba >= sectors)
            return new Copy(null, null, "lies outside the disk");
        using var sector = AlignedBuffer.Rent(disk.SectorSize);
        disk.Read(lba * disk.SectorSize, sector.Span);
        var (header, wrong) = GptHeader.Parse(sector.Span, lba, sectors);
        if (header is null)
            return new Copy(null, null, wrong);
        using var buffer = AlignedBuffer.Rent((int)header.EntriesSectors(disk.SectorSize) * disk.SectorSize);
        disk.Read(header.EntriesLba * disk.SectorSize, buffer.Span);
        var entries = buffer.Span[..(header.EntryCount * header.EntrySize)];
        return Crc32.Ieee(entries) == header.EntriesCrc
            ? new Copy(header, entries.ToArray(), null)
            : new Copy(null, null, "has entries with a wrong checksum");
    }

    private static string? FindBadEntry(List<GptEntry> used, GptHeader header)
    {
        foreach (var entry in used)
            if (entry.FirstLba > entry.LastLba || entry.FirstLba < (ulong)header.FirstUsableLba || entry.LastLba > (ulong)header.LastUsableLba)
                return $"partition {entry.Number} spans LBA {entry.FirstLba} to {entry.LastLba}, outside {header.FirstUsableLba} to {header.LastUsableLba}";
        var ordered = used.OrderBy(entry => entry.FirstLba).ToList();
        for (var i = 1; i < ordered.Count; i++)
            if (ordered[i].FirstLba <= ordered[i - 1].LastLba)
                return $"partitions {ordered[i - 1].Number} and {ordered[i].Number} overlap";
        return null;
    }

    /// <summary>A disk moved between a 512-byte and a 4096-byte adapter shows its header at the wrong place.</summary>
    private static string OtherSectorSize(IBlockDevice disk)
    {
        var other = disk.SectorSize == 512 ? 4096 : 512;
        if (disk.SizeBytes < 3 * 4096)
            return "";
        using var start = AlignedBuffer.Rent(8192);
        disk.Read(0, start.Span);
        return GptHeader.HasSignature(start.Span[other..]) ? $" (it was made for sectors of {other} bytes and this disk has {disk.SectorSize})" : "";
    }

    private static List<RawRegion> RawRegions(GptTable table, List<Partition> partitions)
    {
        long sector = table.SectorSize;
        var entries = GptWriter.EntriesSectors(table) * sector;
        var primaryEnd = table.PrimaryEntriesLba * sector + entries;
        var regions = new List<RawRegion> { new(0, sector, RawRegionKind.BootSector) };
        if (table.PrimaryEntriesLba * sector <= RawRegion.MaxGap)
        {
            regions.Add(new(sector, primaryEnd - sector, RawRegionKind.GptPrimary));
        }
        else
        {
            // Some boards keep a boot loader between the header and entries that were moved away from it.
            regions.Add(new(sector, sector, RawRegionKind.GptPrimary));
            regions.Add(new(2 * sector, Math.Min(RawRegion.MaxGap, (table.PrimaryEntriesLba - 2) * sector), RawRegionKind.Gap));
            regions.Add(new(table.PrimaryEntriesLba * sector, entries, RawRegionKind.GptPrimary));
        }
        var gapEnd = Math.Min(partitions.Count > 0 ? partitions[0].Offset : table.FirstUsableLba * sector, primaryEnd + RawRegion.MaxGap);
        if (gapEnd > primaryEnd)
            regions.Add(new(primaryEnd, gapEnd - primaryEnd, RawRegionKind.Gap));
        if (table.BackupEntriesLba < table.BackupHeaderLba && table.BackupEntriesLba > table.LastUsableLba)
            regions.Add(new(table.BackupEntriesLba * sector, entries, RawRegionKind.GptBackup));
        if (table.BackupHeaderLba > table.LastUsableLba)
            regions.Add(new(table.BackupHeaderLba * sector, sector, RawRegionKind.GptBackup));
        return regions;
    }

    private static PartitionTableReading.Unusable Unusable(string code, string sentence) => new(new Failure(code, Fault.Disk, sentence, Cure));
}
