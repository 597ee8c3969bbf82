namespace ImageForge.Imaging.FileSystems;

/// <summary>
/// What the extent tree lists: EXTENT_ITEM (logical start, length) for data and old metadata, METADATA_ITEM (logical start, level) for nodes. A
/// BLOCK_GROUP_ITEM (start, length), in the same tree or in one of its own, says for each chunk how many bytes are used (at 0): they must add up.
/// </summary>
internal sealed class BtrfsExtents(BtrfsSuperblock super, BtrfsChunks chunks, UsedMap map)
{
    private ulong _end;

    /// <param name="groups">Root of the block group tree, if there is one.</param>
    public void Mark(BtrfsTree tree, (ulong Address, int Level, ulong Generation) extents, (ulong Address, int Level, ulong Generation)? groups)
    {
        tree.Walk(extents.Address, extents.Level, extents.Generation, Take);
        if (groups is var (address, level, generation))
            tree.Walk(address, level, generation, TakeGroup);
        foreach (var chunk in chunks.All)
            if (chunk.Used != chunk.Promised)
                throw new DamagedVolumeException("its extents do not add up to what its block groups say");
        foreach (var root in new[] { super.RootTree, super.ChunkTree, extents.Address })
            if (chunks.Find(root, 1) is not { } chunk || !map.IsMarked(chunk.Places[0] + (long)root - chunk.Start))
                throw new DamagedVolumeException("its extent tree calls a tree's root free");
    }

    private void Take(BtrfsKey key, ReadOnlySpan<byte> item)
    {
        switch (key.Type)
        {
            case BtrfsKey.ExtentItem:
                Mark(key.Object, key.Offset);
                break;
            case BtrfsKey.MetadataItem:
                Mark(key.Object, (ulong)super.NodeSize);
                break;
            default:
                TakeGroup(key, item);
                break;
        }
    }

    private void Mark(ulong start, ulong length)
    {
        if (length == 0 || start < _end || (start | length) % (ulong)super.SectorSize != 0 || chunks.Find(start, length) is not { } chunk)
            throw new DamagedVolumeException("an extent overlaps another or lies outside its chunks");
        _end = start + length;
        chunk.Used += (long)length;
        foreach (var place in chunk.Places)
            map.MarkBytes(place + (long)start - chunk.Start, (long)length);
    }

    private void TakeGroup(BtrfsKey key, ReadOnlySpan<byte> item)
    {
        if (key.Type != BtrfsKey.BlockGroupItem)
            return;
        if (item.Length < 8 || chunks.Find(key.Object, 1) is not { } chunk || (ulong)chunk.Start != key.Object || (ulong)chunk.Length != key.Offset || item.U64(0) > key.Offset)
            throw new DamagedVolumeException("a block group fits no chunk");
        chunk.Promised = (long)item.U64(0);
    }
}
