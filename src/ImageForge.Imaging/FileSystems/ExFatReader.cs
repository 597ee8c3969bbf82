using System.Text;

namespace ImageForge.Imaging.FileSystems;

/// <summary>
/// exFAT. Used are: everything before the cluster heap (both boot regions, the FATs), the clusters that an allocation bitmap marks,
/// and whatever lies behind the last cluster. A dirty volume is taken whole: there is no journal, and a file's entry may have
/// reached the disk before the bitmap that gives it its clusters.
/// Clusters that the FAT marks bad are kept: the FAT entries of a file stored in one piece mean nothing (§4.1), so such a mark may be a leftover.
/// </summary>
internal sealed class ExFatReader : IFileSystemReader
{
    private const int EntrySize = 32;
    private const byte BitmapEntry = 0x81, LabelEntry = 0x83;

    /// <summary>§7.4: no folder is larger.</summary>
    private const long MaxFolderBytes = 256 << 20;

    private const long LabelSearchBytes = 1 << 20;

    public string Name => "exFAT";

    public bool IsPresent(VolumeReader volume) => volume.Length >= 512 && ExFatBootSector.IsPresent(volume.Read(0, 512));

    public VolumeContent Read(VolumeReader volume)
    {
        var boot = ExFatBootSector.Parse(volume);
        var fat = new ExFatChains(volume, boot);
        var (bitmaps, label) = ReadRoot(volume, boot, fat);
        if (boot.IsDirty)
            return VolumeProbe.AllUsed(FileSystemKind.ExFat, volume.Length, boot.Uuid, label,
                "It was not unmounted cleanly (check it with chkdsk or fsck.exfat): taken with every block.") with
            {
                State = VolumeState.Dirty,
            };

        var map = new UsedMap(volume.Length, boot.MapUnit, volume.SectorSize);
        map.MarkBytes(0, boot.HeapOffset);
        var tail = VolumeTail.Mark(volume, map, boot.HeapOffset + boot.Clusters * boot.ClusterSize);
        // TexFAT has a second bitmap that lags behind by one transaction; what either of them keeps is kept.
        foreach (var bitmap in bitmaps)
            MarkBitmap(volume, boot, fat, bitmap, map);
        CheckSystemFiles(boot, fat, map, bitmaps);
        return new VolumeContent(FileSystemKind.ExFat, map.BlockSize, map.Blocks, boot.Uuid, label,
            VolumeContent.Notes(boot.MediaFailed ? "A disk error was met when it was last used." : null, tail))
        {
            State = boot.MediaFailed ? VolumeState.Errors : VolumeState.Clean,
        };
    }

    private static (List<Bitmap> Bitmaps, string? Label) ReadRoot(VolumeReader volume, ExFatBootSector boot, ExFatChains fat)
    {
        var bitmaps = new List<Bitmap>();
        string? label = null;
        long seen = 0;
        foreach (var entry in Entries(volume, boot, fat))
        {
            if (entry[0] == BitmapEntry)
                bitmaps.Add(new Bitmap(entry[1] & 1, entry.U32(20), entry.U64(24)));
            if (entry[0] == LabelEntry && entry[1] is > 0 and <= 11)
                label = Encoding.Unicode.GetString(entry, 2, 2 * entry[1]);
            // A folder of many files is not read to its end for the sake of a label.
            if (bitmaps.Count > boot.FatCount || bitmaps.Count == boot.FatCount && (label is not null || seen > LabelSearchBytes))
                break;
            if ((seen += EntrySize) > MaxFolderBytes)
                throw new DamagedVolumeException("its root folder has no end");
        }
        if (bitmaps.Count > boot.FatCount || !bitmaps.Exists(b => b.Number == boot.Active))
            throw new DamagedVolumeException($"its root folder names {bitmaps.Count} allocation bitmaps");
        return (bitmaps, label);
    }

    /// <summary>The entries of the root folder up to its end mark.</summary>
    private static IEnumerable<byte[]> Entries(VolumeReader volume, ExFatBootSector boot, ExFatChains fat)
    {
        foreach (var offset in fat.Follow(boot.RootCluster))
            for (var at = 0; at < boot.ClusterSize; at += EntrySize)
            {
                var entry = volume.Read(offset + at, EntrySize);
                if (entry[0] == 0)
                    yield break;
                yield return entry;
            }
    }

    private static void MarkBitmap(VolumeReader volume, ExFatBootSector boot, ExFatChains fat, Bitmap bitmap, UsedMap map)
    {
        var bytes = (boot.Clusters + 7) / 8;
        if (bitmap.Bytes < (ulong)bytes)
            throw new DamagedVolumeException("its allocation bitmap is too short for its clusters");
        var piece = new byte[(int)Math.Min(boot.ClusterSize, 64 << 10)];
        long done = 0;
        foreach (var offset in fat.Follow(bitmap.FirstCluster))
        {
            for (long at = 0; at < boot.ClusterSize && done < bytes; at += piece.Length)
            {
                var part = piece.AsSpan(0, (int)Math.Min(piece.Length, bytes - done));
                volume.Read(offset + at, part);
                map.MarkBits(boot.HeapOffset + done * 8 * boot.ClusterSize, boot.ClusterSize, part, (int)Math.Min(part.Length * 8L, boot.Clusters - done * 8));
                done += part.Length;
            }
            if (done == bytes)
                return;
        }
        throw new DamagedVolumeException("the clusters of its allocation bitmap end too early");
    }

    /// <summary>A bitmap that calls the root folder or itself free is not to be believed.</summary>
    private static void CheckSystemFiles(ExFatBootSector boot, ExFatChains fat, UsedMap map, List<Bitmap> bitmaps)
    {
        if (!map.IsMarked(fat.OffsetOf(boot.RootCluster)))
            throw new DamagedVolumeException("its allocation bitmap calls the root folder free");
        foreach (var bitmap in bitmaps)
        {
            var left = (long)Math.Min(bitmap.Bytes, (ulong)boot.Clusters);
            foreach (var offset in fat.Follow(bitmap.FirstCluster))
            {
                if (!map.IsMarked(offset))
                    throw new DamagedVolumeException("its allocation bitmap calls itself free");
                if ((left -= boot.ClusterSize) <= 0)
                    break;
            }
        }
    }

    /// <param name="Number">0 or 1: which FAT it belongs to.</param>
    private readonly record struct Bitmap(int Number, uint FirstCluster, ulong Bytes);
}
