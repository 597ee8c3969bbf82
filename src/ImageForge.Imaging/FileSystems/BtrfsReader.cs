namespace ImageForge.Imaging.FileSystems;

/// <summary>
/// Btrfs on one device. Used are the first mebibyte, the copies of the superblock and every extent of the extent tree, in each of its places;
/// what lies behind the device's end in the file system's eyes is not, but for the end of the volume (<see cref="VolumeTail"/>).
/// Trees are never overwritten in place: after a power cut the superblock still names whole ones. Only a log of fsyncs has blocks the extent tree does not list.
/// </summary>
internal sealed class BtrfsReader : IFileSystemReader
{
    private const ulong ExtentTree = 2, BlockGroupTree = 11;
    private const int Reserved = 1 << 20;

    public string Name => "Btrfs";

    public bool IsPresent(VolumeReader volume) => BtrfsSuperblock.IsPresent(volume);

    public VolumeContent Read(VolumeReader volume)
    {
        var super = BtrfsSuperblock.Read(volume);
        VolumeContent Whole(string reason, VolumeState state) =>
            VolumeProbe.AllUsed(FileSystemKind.Btrfs, volume.Length, super.Uuid, super.Label, reason + ": taken with every block.") with { State = state };
        if (ReasonToTakeAll(super) is var (reason, state))
            return Whole(reason, state);
        try
        {
            var (map, tail) = Map(volume, super);
            return new VolumeContent(FileSystemKind.Btrfs, map.BlockSize, map.Blocks, super.Uuid, super.Label, tail);
        }
        catch (BtrfsSpreadException spread)
        {
            return Whole(spread.Message, VolumeState.Clean);
        }
    }

    private static (string Reason, VolumeState State)? ReasonToTakeAll(BtrfsSuperblock super)
    {
        if ((super.Incompat & ~BtrfsIncompat.Known) is var incompat and not 0)
            return ($"Uses Btrfs features that are not known here (incompat 0x{(ulong)incompat:x})", VolumeState.Clean);
        if ((super.ReadOnlyCompat & ~BtrfsReadOnlyCompat.Known) is var readOnly and not 0)
            return ($"Uses Btrfs features that are not known here (compat_ro 0x{(ulong)readOnly:x})", VolumeState.Clean);
        if (super.Flags.HasFlag(BtrfsFlags.Error))
            return ("It is marked as having errors (run btrfs check)", VolumeState.Errors);
        if (super.Incompat.HasFlag(BtrfsIncompat.Zoned))
            return ("It is a zoned Btrfs", VolumeState.Clean);
        if (super.Devices != 1)
            return ($"It is spread over {super.Devices} devices", VolumeState.Clean);
        if (super.Flags.HasFlag(BtrfsFlags.Seed))
            return ("It is a seed device", VolumeState.Clean);
        if ((super.Flags & ~BtrfsFlags.Usual) != 0)
            return ($"It is in the middle of a conversion (flags 0x{(ulong)super.Flags:x})", VolumeState.Dirty);
        return super.HasLog ? ("It was not unmounted cleanly and has a log to replay (mount and unmount it once)", VolumeState.JournalPending) : null;
    }

    private static (UsedMap Map, string? Tail) Map(VolumeReader volume, BtrfsSuperblock super)
    {
        var bootstrap = BtrfsChunks.Bootstrap(super);
        var chunks = new BtrfsChunks(super);
        new BtrfsTree(volume, super, bootstrap).Walk(super.ChunkTree, super.ChunkLevel, super.ChunkGeneration, (key, item) =>
        {
            if (key.Type == BtrfsKey.ChunkItem)
                chunks.Add(key.Offset, item);
        });
        if (bootstrap.All.Any(chunk => !chunks.Has(chunk)))
            throw new DamagedVolumeException("its chunk tree does not fit its superblock");

        var tree = new BtrfsTree(volume, super, chunks);
        var roots = new Dictionary<ulong, (ulong Address, int Level, ulong Generation)>();
        tree.Walk(super.RootTree, super.RootLevel, super.Generation, (key, item) =>
        {
            // Root item: 160 generation, 176 address, 238 level.
            if (key.Type == BtrfsKey.RootItem && key.Object is ExtentTree or BlockGroupTree && item.Length >= 239)
                roots[key.Object] = (item.U64(176), item[238], item.U64(160));
        });

        var map = new UsedMap(volume.Length, super.SectorSize, volume.SectorSize);
        map.MarkBytes(0, Reserved);
        foreach (var copy in BtrfsSuperblock.Copies)
            if (copy <= super.DeviceBytes - BtrfsSuperblock.Size)
                map.MarkBytes(copy, BtrfsSuperblock.Size);
        var tail = VolumeTail.Mark(volume, map, super.DeviceBytes);
        new BtrfsExtents(super, chunks, map).Mark(tree, Root(roots, ExtentTree),
            super.ReadOnlyCompat.HasFlag(BtrfsReadOnlyCompat.BlockGroupTree) ? Root(roots, BlockGroupTree) : null);
        return (map, tail);
    }

    private static (ulong Address, int Level, ulong Generation) Root(Dictionary<ulong, (ulong, int, ulong)> roots, ulong tree) =>
        roots.TryGetValue(tree, out var root) ? root : throw new DamagedVolumeException("it has no extent tree");
}
