using System.Globalization;
using System.Text;
using ImageForge.Imaging.Disks;

namespace ImageForge.Imaging.FileSystems;

/// <summary>Puts together what the file systems inside logical volumes use.</summary>
/// <param name="map">Of the physical volume.</param>
/// <param name="start">First byte of extent 0.</param>
internal sealed class LvmComposition(VolumeReader volume, UsedMap map, long extentBytes, long start)
{
    private readonly StringBuilder _list = new();

    /// <summary>Blocks recorded as zero without being read; null: none.</summary>
    public BlockMap? Skipped { get; private set; }

    /// <summary>The first that is not clean.</summary>
    public VolumeState State { get; private set; }

    private long _extents;

    public void Add(LvmLogical lv)
    {
        _extents += lv.Extents;
        using var view = new LvmVolumeView(volume, lv, extentBytes, start);
        var content = Content(view);
        for (long from = 0; content.Used.NextRun(from, out var first, out var count); from = first + count)
            foreach (var (offset, length) in view.Places(first * content.BlockSize, count * content.BlockSize))
                map.MarkBytes(offset, length);
        if (content.Skipped is { } skipped)
            for (long from = 0; skipped.NextRun(from, out var first, out var count); from = first + count)
                foreach (var (offset, length) in view.Places(first * content.BlockSize, count * content.BlockSize))
                    Skip(offset, length);
        State = State == VolumeState.Clean ? content.State : State;
        _list.Append(_list.Length == 0 ? "" : ", ").Append(lv.Name).Append(" (").Append(KindName(content.Kind));
        if (content.Label is { } label)
            _list.Append(" \"").Append(label).Append('"');
        if (content.Note is { } note && content.Kind != FileSystemKind.Swap)
            _list.Append("; ").Append(note.TrimEnd('.'));
        _list.Append(')');
    }

    public string Note(LvmGroup group, LvmPhysical pv) => string.Create(CultureInfo.InvariantCulture,
        $"LVM volume group {group.Name}: {(_list.Length == 0 ? "no logical volume" : _list)}, {(pv.Extents - _extents) * extentBytes >> 20} MiB free.");

    /// <summary>The disk of a virtual machine may carry leftovers of a file system in front of its first partition.</summary>
    private VolumeContent Content(LvmVolumeView view) => PartitionTables.Read(view) is PartitionTableReading.Found { Layout.Scheme: PartitionScheme.None }
        ? VolumeProbe.Identify(view, 0, view.SizeBytes, volume.Cancel)
        : VolumeProbe.AllUsed(FileSystemKind.Unknown, view.SizeBytes, null, null, "A disk with partitions of its own: taken with every block.");

    /// <summary>Only blocks that lie in it as a whole.</summary>
    private void Skip(long offset, long length)
    {
        Skipped ??= new BlockMap(map.Blocks.BlockCount);
        var first = (offset + map.BlockSize - 1) / map.BlockSize;
        var end = (offset + length) / map.BlockSize;
        if (end > first)
            Skipped.Set(first, end - first);
    }

    private static string KindName(FileSystemKind kind) => kind switch
    {
        FileSystemKind.Unknown => "unknown",
        FileSystemKind.Ntfs or FileSystemKind.Xfs => kind.ToString().ToUpperInvariant(),
        FileSystemKind.Luks => "LUKS",
        FileSystemKind.ExFat => "exFAT",
        FileSystemKind.Fat12 or FileSystemKind.Fat16 or FileSystemKind.Fat32 => kind.ToString().ToUpperInvariant(),
        _ => kind.ToString().ToLowerInvariant(),
    };
}
