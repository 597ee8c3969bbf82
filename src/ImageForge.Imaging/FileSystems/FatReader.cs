using System.Buffers.Binary;
using System.Text;

namespace ImageForge.Imaging.FileSystems;

/// <summary>
/// FAT12, FAT16, FAT32. Used are: everything before the data area (boot sectors, FSInfo, backup boot sector, the FATs, the root folder
/// of FAT12/16), every cluster whose entry in any FAT is neither free nor marked bad, and whatever lies behind the last cluster.
/// A dirty volume is only noted: what no FAT entry names belongs to no file.
/// </summary>
internal sealed class FatReader : IFileSystemReader
{
    public string Name => "FAT";

    public bool IsPresent(VolumeReader volume)
    {
        if (volume.Length < 512)
            return false;
        Span<byte> sector = stackalloc byte[512];
        volume.Read(0, sector);
        return FatBootSector.LooksLikeFat(sector);
    }

    public VolumeContent Read(VolumeReader volume)
    {
        var boot = FatBootSector.Parse(volume.Read(0, 512), volume.Length);
        var map = new UsedMap(volume.Length, boot.MapUnit, volume.SectorSize);
        map.MarkBytes(0, boot.DataOffset);
        var tail = VolumeTail.Mark(volume, map, boot.DataOffset + boot.Clusters * boot.ClusterSize);

        var first = volume.Read(boot.FatOffset, 8);
        if (first[0] != boot.Media)
            throw new DamagedVolumeException("its first FAT entry does not repeat the media byte of the boot sector");
        if (boot.Kind == FileSystemKind.Fat32 && (boot.RootCluster < 2 || boot.RootCluster >= boot.Clusters + 2))
            throw new DamagedVolumeException("its root folder points outside the volume");
        // The copies should agree; where they do not, what any of them keeps is kept.
        for (var copy = 0; copy < boot.FatCount; copy++)
            MarkClusters(volume, boot, map, boot.FatOffset + copy * boot.FatBytes);
        if (boot.Kind == FileSystemKind.Fat32 && !map.IsMarked(boot.DataOffset + (boot.RootCluster - 2) * boot.ClusterSize))
            throw new DamagedVolumeException("its root folder is marked free");
        var (state, note) = StateOf(boot, first);
        return new VolumeContent(boot.Kind, map.BlockSize, map.Blocks, boot.Uuid, boot.Label, VolumeContent.Notes(note, tail)) { State = state };
    }

    private static (VolumeState State, string? Note) StateOf(FatBootSector boot, ReadOnlySpan<byte> fat)
    {
        // FAT specification, "FAT volume initialization": the two high bits of entry 1, 1 = clean, 1 = no disk error.
        var (clean, noError) = boot.Kind switch
        {
            FileSystemKind.Fat16 => ((fat.U16(2) & 0x8000) != 0, (fat.U16(2) & 0x4000) != 0),
            FileSystemKind.Fat32 => ((fat.U32(4) & 0x0800_0000) != 0, (fat.U32(4) & 0x0400_0000) != 0),
            _ => (true, true),
        };
        var notes = new List<string>();
        if (!clean || boot.DirtyByLinux)
            notes.Add("It was not unmounted cleanly.");
        if (!noError)
            notes.Add("A disk error was met when it was last used.");
        return notes.Count == 0 ? (VolumeState.Clean, null) : (noError ? VolumeState.Dirty : VolumeState.Errors, string.Join(' ', notes));
    }

    private static void MarkClusters(VolumeReader volume, FatBootSector boot, UsedMap map, long fatOffset)
    {
        // Twelve bits make two entries in three bytes: pieces of 3 × 2ⁿ bytes end between pairs in every width.
        var piece = new byte[48 << 10];
        var bits = boot.EntryBits;
        var (entries, perPiece) = (boot.Clusters + 2, piece.Length * 8 / bits);
        long runStart = -1;
        for (long entry = 0; entry < entries; entry += perPiece)
        {
            var count = (int)Math.Min(perPiece, entries - entry);
            var bytes = piece.AsSpan(0, (count * bits + 7) / 8);
            volume.Read(fatOffset + entry * bits / 8, bytes);
            for (var i = entry == 0 ? 2 : 0; i < count; i++)
            {
                var used = IsUsed(bytes, i, bits);
                if (used == runStart >= 0)
                    continue;
                if (used)
                    runStart = entry + i;
                else
                    runStart = Mark(boot, map, runStart, entry + i);
            }
        }
        if (runStart >= 0)
            Mark(boot, map, runStart, entries);
    }

    private static long Mark(FatBootSector boot, UsedMap map, long first, long end)
    {
        map.MarkBytes(boot.DataOffset + (first - 2) * boot.ClusterSize, (end - first) * boot.ClusterSize);
        return -1;
    }

    /// <summary>0 is free and …FF7 is bad; a bad cluster holds nothing and could not be read.</summary>
    private static bool IsUsed(ReadOnlySpan<byte> fat, int entry, int bits)
    {
        switch (bits)
        {
            case 12:
                var at = entry + entry / 2;
                var pair = fat[at] | (at + 1 < fat.Length ? fat[at + 1] << 8 : 0);
                return ((entry & 1) == 0 ? pair & 0xFFF : pair >> 4) is not (0 or 0xFF7);
            case 16:
                return BinaryPrimitives.ReadUInt16LittleEndian(fat[(2 * entry)..]) is not (0 or 0xFFF7);
            default:
                return (BinaryPrimitives.ReadUInt32LittleEndian(fat[(4 * entry)..]) & 0x0FFF_FFFF) is not (0 or 0x0FFF_FFF7);
        }
    }
}
