using System.Globalization;
using System.Numerics;
using ImageForge.Imaging.Disks;

namespace ImageForge.Imaging.FileSystems;

/// <summary>
/// An LVM2 physical volume, seen as its logical volumes. Used are: label, metadata and boot loader areas and all else before the
/// first extent, what the file system in each linear logical volume uses, and what lies behind the last extent. Free extents are unused.
/// Everything that is not linear and on this device alone (snapshots, thin, striped, RAID, mirrors, caches, several
/// physical volumes) is taken whole: another volume may depend on blocks that a file system calls free.
/// </summary>
internal sealed class LvmReader : IFileSystemReader
{
    private const int MaxLogicalVolumes = 512;

    public string Name => "an LVM physical volume";

    public bool IsPresent(VolumeReader volume) => LvmLabel.IsPresent(volume);

    public VolumeContent Read(VolumeReader volume)
    {
        var label = LvmLabel.Parse(volume);
        var group = ReadGroup(volume, label);
        if (Obstacle(volume, label, group) is { } obstacle)
            return VolumeProbe.AllUsed(FileSystemKind.Lvm, volume.Length, label.UuidText, null, $"{obstacle}: taken with every block.");
        return Compose(volume, label, group!, group!.Physical[0]);
    }

    private static LvmGroup? ReadGroup(VolumeReader volume, LvmLabel label)
    {
        LvmGroup? newest = null;
        foreach (var (offset, length) in label.Metadata)
            if (LvmMetadataArea.ReadText(volume, offset, length) is { } text && LvmGroup.Parse(text) is var group && !(group.Sequence <= newest?.Sequence))
                newest = group;
        return newest;
    }

    /// <summary>Why the logical volumes cannot be looked into, as the beginning of a sentence; null: they can.</summary>
    private static string? Obstacle(VolumeReader volume, LvmLabel label, LvmGroup? group)
    {
        if (volume.Disk is LvmVolumeView)
            return "An LVM physical volume inside a logical volume";
        if (group is null)
            return label.Metadata.Count == 0 ? "An LVM physical volume that keeps no metadata" : "An LVM physical volume without a volume group";
        var name = $"LVM volume group {group.Name}";
        if (!group.Physical.Any(pv => pv.Uuid == label.Uuid))
            throw new DamagedVolumeException("its volume group does not know it");
        if (group.Physical.Count > 1)
            return string.Create(CultureInfo.InvariantCulture, $"{name} lies on {group.Physical.Count} physical volumes");
        if (group.Physical[0].IsMissing)
            return $"{name} calls this physical volume missing";
        if (group.Logical.Count > MaxLogicalVolumes)
            return string.Create(CultureInfo.InvariantCulture, $"{name} has {group.Logical.Count} logical volumes");
        return group.Logical.FirstOrDefault(lv => lv.Oddity is not null) is { } odd ? $"{name} has a logical volume that is not linear ({odd.Name}: {odd.Oddity})" : null;
    }

    private static VolumeContent Compose(VolumeReader volume, LvmLabel label, LvmGroup group, LvmPhysical pv)
    {
        var end = CheckExtents(volume, group, pv);
        // Fine enough for every file system of today; those with smaller blocks lose a little.
        var map = new UsedMap(volume.Length, (int)Math.Min(4096, 1L << BitOperations.TrailingZeroCount(pv.Start | group.ExtentBytes)), volume.SectorSize);
        map.MarkBytes(0, pv.Start);
        map.MarkFrom(end);
        foreach (var (offset, length) in label.Metadata.Concat(label.BootLoader))
            map.MarkBytes(offset, length);
        var composed = new LvmComposition(volume, map, group.ExtentBytes, pv.Start);
        foreach (var lv in group.Logical)
            composed.Add(lv);
        return new VolumeContent(FileSystemKind.Lvm, map.BlockSize, map.Blocks, label.UuidText, null, composed.Note(group, pv))
        {
            Skipped = composed.Skipped,
            State = composed.State,
        };
    }

    /// <summary>Every extent on this device, none given twice.</summary>
    /// <returns>First byte behind the last extent.</returns>
    private static long CheckExtents(VolumeReader volume, LvmGroup group, LvmPhysical pv)
    {
        if (pv.Start <= 0 || pv.Start > volume.Length || pv.Extents > (volume.Length - pv.Start) / group.ExtentBytes || pv.Start % volume.SectorSize != 0 || group.ExtentBytes % volume.SectorSize != 0)
            throw new DamagedVolumeException("its extents reach beyond the partition");
        var segments = group.Logical.SelectMany(lv => lv.Segments).ToList();
        if (segments.Exists(s => s.Pv != pv.Name || s.First > pv.Extents - s.Count))
            throw new DamagedVolumeException("a logical volume reaches outside it");
        segments.Sort((a, b) => a.First.CompareTo(b.First));
        for (var i = 1; i < segments.Count; i++)
            if (segments[i].First < segments[i - 1].First + segments[i - 1].Count)
                throw new DamagedVolumeException("two logical volumes share an extent");
        return pv.Start + pv.Extents * group.ExtentBytes;
    }
}
