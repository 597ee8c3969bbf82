namespace ImageForge.Imaging.FileSystems;

/// <summary>
/// XFS, versions 4 and 5. Used is every block of the file system that its allocation groups do not list as free; what lies behind it is not,
/// but for the end of the volume (<see cref="VolumeTail"/>). The lists are only true once the log has been replayed.
/// </summary>
internal sealed class XfsReader : IFileSystemReader
{
    public string Name => "XFS";

    public bool IsPresent(VolumeReader volume) => volume.Length >= 512 && volume.Has(0, "XFSB"u8);

    public VolumeContent Read(VolumeReader volume)
    {
        var super = XfsSuperblock.Read(volume);
        if (ReasonToTakeAll(volume, super) is var (reason, state))
            return VolumeProbe.AllUsed(FileSystemKind.Xfs, volume.Length, super.Uuid, super.Label, reason + ": taken with every block.") with { State = state };
        var map = new UsedMap(volume.Length, super.BlockSize, volume.SectorSize);
        for (uint group = 0; group < super.Groups; group++)
        {
            var start = super.ByteOf(group, 0);
            new XfsFreeSpace(volume, super, group).WalkUsed((first, count) => map.MarkBytes(start + first * super.BlockSize, count * super.BlockSize));
        }
        var tail = VolumeTail.Mark(volume, map, super.Bytes);
        return new VolumeContent(FileSystemKind.Xfs, map.BlockSize, map.Blocks, super.Uuid, super.Label, tail);
    }

    private static (string Reason, VolumeState State)? ReasonToTakeAll(VolumeReader volume, XfsSuperblock super)
    {
        if ((super.Incompat & ~XfsIncompat.Known) is var incompat and not 0)
            return ($"Uses XFS features that are not known here (incompat 0x{(uint)incompat:x})", VolumeState.Clean);
        if ((super.ReadOnlyCompat & ~XfsReadOnlyCompat.Known) is var readOnly and not 0)
            return ($"Uses XFS features that are not known here (ro_compat 0x{(uint)readOnly:x})", VolumeState.Clean);
        if (super.Incompat.HasFlag(XfsIncompat.NeedsRepair))
            return ("It is marked as needing repair (run xfs_repair)", VolumeState.Errors);
        if (super.Realtime)
            return ("It keeps files on a realtime device, which is not part of this volume", VolumeState.Clean);
        if (super.LogStart == 0)
            return ("Its log is on another device, which is not part of this volume", VolumeState.Clean);
        return XfsLog.EndsInUnmount(volume, super) ? null : ("It was not unmounted cleanly (mount and unmount it once)", VolumeState.JournalPending);
    }
}
