using System.Buffers.Binary;
using ImageForge.Imaging.FileSystems;

namespace ImageForge.Imaging.Deploy;

/// <summary>
/// NTFS and FAT keep in their boot sector at byte 28 how many sectors lie before their partition; boot code of a moved volume reads its
/// own sectors by it. Where the number was not the volume's place before (logical partitions, some formatters) it is left as it is.
/// </summary>
internal static class HiddenSectors
{
    private const int At = 28;

    /// <summary>Sets the field in the head of a moved volume: the boot sector, and FAT32's copy of it.</summary>
    public static void Move(Span<byte> head, FileSystemKind kind, long from, long to)
    {
        if (head.Length < 512 || kind is not (FileSystemKind.Ntfs or FileSystemKind.Fat12 or FileSystemKind.Fat16 or FileSystemKind.Fat32))
            return;
        int sector = BinaryPrimitives.ReadUInt16LittleEndian(head[11..]);
        if (sector is not (512 or 1024 or 2048 or 4096))
            return;
        MoveOne(head, sector, from, to);
        var copy = kind == FileSystemKind.Fat32 ? BinaryPrimitives.ReadUInt16LittleEndian(head[50..]) * sector : 0;
        if (copy > 0 && copy + 512 <= head.Length)
            MoveOne(head[copy..], sector, from, to);
    }

    /// <summary>The same in one boot sector.</summary>
    public static void MoveOne(Span<byte> bootSector, int sectorSize, long from, long to)
    {
        if (BinaryPrimitives.ReadUInt32LittleEndian(bootSector[At..]) == from / sectorSize && to / sectorSize <= uint.MaxValue)
            BinaryPrimitives.WriteUInt32LittleEndian(bootSector[At..], (uint)(to / sectorSize));
    }

    /// <summary>Where NTFS has the copy of its boot sector: behind the last sector it counts, at byte 40. Null if this is no NTFS.</summary>
    public static long? NtfsCopyAt(ReadOnlySpan<byte> head)
    {
        int sector = BinaryPrimitives.ReadUInt16LittleEndian(head[11..]);
        var sectors = BinaryPrimitives.ReadInt64LittleEndian(head[40..]);
        return head[3..].StartsWith("NTFS    "u8) && sector is 512 or 1024 or 2048 or 4096 && sectors is > 0 and < 1L << 50 ? sectors * sector : null;
    }
}
