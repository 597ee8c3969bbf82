namespace ImageForge.Imaging.Disks;

/// <summary>Bytes that belong at an offset of the disk; the offset and length are multiples of the sector size.</summary>
public sealed record DiskWrite(long Offset, byte[] Bytes);

/// <summary>Makes the sectors of a GPT; the caller decides when each is written. Nothing here touches a disk.</summary>
public static class GptWriter
{
    /// <summary>Smallest disk in bytes on which every partition of the table and both copies fit.</summary>
    public static long MinimumDiskBytes(GptTable table) => throw new NotImplementedException(table.DiskGuid.ToString());

    /// <summary>
    /// Both copies for a disk of <paramref name="diskBytes"/>: the backup moved to its end, AlternateLBA, LastUsableLBA, the
    /// protective MBR's size and all CRCs made anew; boot code and entries unchanged. For the size it was read from the result is
    /// what stood there. In the order to write: backup entries, backup header, primary entries, primary header, LBA 0 last.
    /// </summary>
    /// <exception cref="ArgumentException">The disk is smaller than <see cref="MinimumDiskBytes"/>, or its sectors differ from the table's.</exception>
    public static IReadOnlyList<DiskWrite> Rebuild(GptTable table, long diskBytes, int sectorSize) => throw new NotImplementedException(table.DiskGuid.ToString());

    /// <summary>Zeros over LBA 0, LBA 1 and the last LBA: no firmware finds a boot record or either GPT header afterwards.</summary>
    public static IReadOnlyList<DiskWrite> Invalidate(long diskBytes, int sectorSize) =>
        [new(0, new byte[sectorSize]), new(sectorSize, new byte[sectorSize]), new(diskBytes / sectorSize * sectorSize - sectorSize, new byte[sectorSize])];
}
