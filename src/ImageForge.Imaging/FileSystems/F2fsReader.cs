namespace ImageForge.Imaging.FileSystems;

/// <summary>
/// F2FS on one device. Used are everything before the main area (superblocks, checkpoints, SIT, NAT, SSA), the main area's valid blocks and
/// the next block of each log of nodes; what lies behind the file system is not, but for the end of the volume (<see cref="VolumeTail"/>).
/// Without a checkpoint made by unmounting, blocks that an fsync wrote are not yet in the table.
/// </summary>
internal sealed class F2fsReader : IFileSystemReader
{
    public string Name => "F2FS";

    public bool IsPresent(VolumeReader volume) => F2fsSuperblock.IsPresent(volume);

    public VolumeContent Read(VolumeReader volume)
    {
        var super = F2fsSuperblock.Read(volume);
        VolumeContent Whole((string Text, VolumeState State) reason) =>
            VolumeProbe.AllUsed(FileSystemKind.F2fs, volume.Length, super.Uuid, super.Label, reason.Text + ": taken with every block.") with { State = reason.State };
        if (ReasonToTakeAll(super) is { } unknown)
            return Whole((unknown, VolumeState.Clean));
        var checkpoint = F2fsCheckpoint.Read(volume, super);
        if (ReasonToTakeAll(checkpoint.Flags) is { } reason)
            return Whole(reason);
        var map = new UsedMap(volume.Length, F2fsSuperblock.BlockSize, volume.SectorSize);
        map.MarkBytes(0, (long)super.Main * F2fsSuperblock.BlockSize);
        F2fsSegments.MarkValid(volume, super, checkpoint, map);
        var tail = VolumeTail.Mark(volume, map, super.Blocks * F2fsSuperblock.BlockSize);
        return new VolumeContent(FileSystemKind.F2fs, map.BlockSize, map.Blocks, super.Uuid, super.Label, tail);
    }

    private static string? ReasonToTakeAll(F2fsSuperblock super)
    {
        if ((super.Features & ~F2fsFeatures.Known) is var unknown and not 0)
            return $"Uses F2FS features that are not known here (0x{(uint)unknown:x})";
        if (super.Features.HasFlag(F2fsFeatures.Zoned))
            return "It is a zoned F2FS";
        // Its checkpoint and summaries have another shape.
        if (super.Features.HasFlag(F2fsFeatures.ReadOnly))
            return "It is a read-only F2FS";
        return super.SeveralDevices ? "It is spread over several devices" : null;
    }

    private static (string, VolumeState)? ReasonToTakeAll(F2fsCheckpointFlags flags)
    {
        if ((flags & (F2fsCheckpointFlags.Error | F2fsCheckpointFlags.NeedsCheck)) != 0)
            return ("It is marked as having errors (run fsck.f2fs)", VolumeState.Errors);
        if ((flags & (F2fsCheckpointFlags.Disabled | F2fsCheckpointFlags.DisabledQuick | F2fsCheckpointFlags.Resizing)) != 0)
            return ("Its checkpoints are disabled or it is being resized", VolumeState.Dirty);
        return flags.HasFlag(F2fsCheckpointFlags.Unmounted) ? null : ("It was not unmounted cleanly (mount and unmount it once)", VolumeState.JournalPending);
    }
}
