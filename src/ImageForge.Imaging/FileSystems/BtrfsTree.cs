namespace ImageForge.Imaging.FileSystems;

/// <summary>Key of an item: 0 object, 8 type, 9 offset; sorted in this order.</summary>
internal readonly record struct BtrfsKey(ulong Object, byte Type, ulong Offset) : IComparable<BtrfsKey>
{
    public const int Size = 17;
    public const byte RootItem = 132, ExtentItem = 168, MetadataItem = 169, BlockGroupItem = 192, ChunkItem = 228;

    public static BtrfsKey Read(ReadOnlySpan<byte> bytes) => new(bytes.U64(0), bytes[8], bytes.U64(9));

    public int CompareTo(BtrfsKey other) =>
        Object != other.Object ? Object.CompareTo(other.Object) : Type != other.Type ? Type.CompareTo(other.Type) : Offset.CompareTo(other.Offset);
}

/// <summary>An item of a leaf; the bytes are only there during the call.</summary>
internal delegate void BtrfsVisit(BtrfsKey key, ReadOnlySpan<byte> item);

/// <summary>
/// One B-tree. Node: 0 checksum, 32 fsid, 48 own logical address, 80 generation, 96 items, 100 level (0 = leaf); from 101 on in a leaf 25 bytes per item
/// (key, 17 offset behind the header, 21 size), above it 33 bytes per child (key, 17 logical address, 25 generation).
/// </summary>
internal sealed class BtrfsTree(VolumeReader volume, BtrfsSuperblock super, BtrfsChunks chunks)
{
    public const int MaxLevel = 7;
    private const int Header = 101, ItemSize = 25, ChildSize = 33;

    private readonly byte[]?[] _buffers = new byte[MaxLevel + 1][];
    private BtrfsKey? _last;

    /// <summary>Visits every item in order. Levels fall towards the leaves and keys rise over all of them, so that a loop or a shared branch is found at its second visit.</summary>
    /// <exception cref="DamagedVolumeException">A node fails its checks in every copy, or the order is broken.</exception>
    public void Walk(ulong root, int level, ulong generation, BtrfsVisit visit)
    {
        if (level > MaxLevel)
            throw new DamagedVolumeException("one of its trees is too high");
        _last = null;
        Walk(root, level, generation, null, visit);
    }

    private void Walk(ulong address, int level, ulong generation, BtrfsKey? first, BtrfsVisit visit)
    {
        var node = _buffers[level] ??= new byte[super.NodeSize];
        ReadNode(address, level, generation, node);
        var (items, entry) = ((int)node.U32(96), level == 0 ? ItemSize : ChildSize);
        // Only an empty tree is a leaf without items.
        if ((uint)items > (super.NodeSize - Header) / entry || items == 0 && first is not null)
            throw new DamagedVolumeException("a node of one of its trees has an impossible number of items");
        for (var i = 0; i < items; i++)
        {
            ReadOnlySpan<byte> bytes = node.AsSpan(Header + entry * i, entry);
            var key = BtrfsKey.Read(bytes);
            if (i == 0 && first is { } expected && key != expected || _last is { } last && key.CompareTo(last) <= 0)
                throw new DamagedVolumeException("one of its trees is not in order");
            if (level > 0)
            {
                Walk(bytes.U64(17), level - 1, bytes.U64(25), key, visit);
                continue;
            }
            _last = key;
            var (at, size) = (bytes.U32(17), bytes.U32(21));
            if (at > (uint)(super.NodeSize - Header) || size > (uint)(super.NodeSize - Header) - at)
                throw new DamagedVolumeException("an item of one of its trees reaches outside its node");
            visit(key, node.AsSpan(Header + (int)at, (int)size));
        }
    }

    private void ReadNode(ulong address, int level, ulong generation, byte[] node)
    {
        var chunk = address % (ulong)super.SectorSize == 0 ? chunks.Find(address, (ulong)super.NodeSize) : null;
        if (chunk is null)
            throw new DamagedVolumeException("one of its trees points outside its chunks");
        foreach (var place in chunk.Places)
        {
            volume.Read(place + (long)address - chunk.Start, node);
            if (BtrfsChecksum.IsRight(super.ChecksumKind, node) && node.U64(48) == address && node.U64(80) == generation && node[100] == level
                && node.AsSpan(32, 16).SequenceEqual(super.NodeFsId))
                return;
        }
        throw new DamagedVolumeException("a node of one of its trees is damaged");
    }
}
