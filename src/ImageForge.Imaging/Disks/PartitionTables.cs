namespace ImageForge.Imaging.Disks;

/// <summary>Finds out how a disk is divided. Reads only the start and the end of the disk, and the chain of logical partitions.</summary>
public static class PartitionTables
{
    /// <exception cref="DiskException">A sector of the tables cannot be read.</exception>
    public static PartitionTableReading Read(IBlockDevice disk)
    {
        if (disk.SizeBytes < 4L * disk.SectorSize)
            return Whole(disk);
        byte[] bootSector, second;
        using (var buffer = AlignedBuffer.Rent(2 * disk.SectorSize))
        {
            disk.Read(0, buffer.Span);
            bootSector = buffer.Span[..disk.SectorSize].ToArray();
            second = buffer.Span[disk.SectorSize..].ToArray();
        }
        if (MbrReader.IsProtective(bootSector))
            return GptReader.Read(disk, bootSector);
        if (IsFileSystem(bootSector))
            return Whole(disk);
        if (MbrReader.LooksLikeTable(bootSector))
            return WithNote(MbrReader.Read(disk, bootSector), GptHeader.HasSignature(second)
                ? "A GUID partition table lies behind the MBR, but the MBR does not announce it: it is a leftover and was ignored."
                : null);
        // A wiped LBA 0 before an intact header: the partitions are still there.
        if (GptHeader.Parse(second, 1, disk.SizeBytes / disk.SectorSize).Header is not null && !MbrReader.HasSignature(bootSector))
            return GptReader.Read(disk, bootSector);
        return Whole(disk);
    }

    /// <summary>
    /// Boot sectors of file systems end with 0x55 0xAA and may look like an MBR by chance: their BIOS parameter block tells.
    /// Boot loaders that start with a jump as well (GRUB, Windows 7's MBR) leave its sector size zero or full of code.
    /// </summary>
    private static bool IsFileSystem(ReadOnlySpan<byte> sector)
    {
        if (sector[3..].StartsWith("NTFS    "u8) || sector[3..].StartsWith("EXFAT   "u8) || sector[3..].StartsWith("-FVE-FS-"u8) || sector[3..].StartsWith("ReFS\0\0\0\0"u8))
            return true;
        var bytesPerSector = sector[11] | sector[12] << 8;
        return sector[0] is 0xEB or 0xE9
            && bytesPerSector is 512 or 1024 or 2048 or 4096
            && sector[13] != 0 && (sector[13] & (sector[13] - 1)) == 0
            && (sector[14] | sector[15]) != 0
            && sector[16] is 1 or 2
            && sector[21] is 0xF0 or >= 0xF8;
    }

    private static PartitionTableReading.Found Whole(IBlockDevice disk) => new(new DiskLayout(PartitionScheme.None, disk.SizeBytes, disk.SectorSize,
        [new Partition(0, 0, disk.SizeBytes, "", null, null, 0)], [], null, null, []));

    private static PartitionTableReading WithNote(PartitionTableReading reading, string? note) =>
        reading is PartitionTableReading.Found found && note is not null
            ? new PartitionTableReading.Found(found.Layout with { Notes = [.. found.Layout.Notes, note] })
            : reading;
}
