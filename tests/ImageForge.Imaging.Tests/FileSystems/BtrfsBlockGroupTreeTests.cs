using ImageForge.Imaging.FileSystems;

namespace ImageForge.Imaging.Tests.FileSystems;

/// <summary>
/// Block groups in a tree of their own, as newer mkfs.btrfs makes them. Debian 12's cannot: a small volume is converted here by hand, and the kernel judges
/// whether it was done well.
/// </summary>
public sealed class BtrfsBlockGroupTreeTests
{
    private const int NodeSize = 16384, Header = 101, ItemSize = 25, Super = BtrfsSuperblock.Offset;
    private const ulong ExtentTree = 2, BlockGroupTree = 11;

    private sealed record Item(BtrfsKey Key, byte[] Data);

    [Fact]
    public void Map_takes_block_groups_from_their_own_tree()
    {
        using var volume = MadeVolume.Btrfs(200L << 20, "-m single -n 16384", files: 40);
        var (before, files) = (volume.Identify(), volume.HashFiles(volume.Image));
        Assert.Null(before.Note);
        var image = volume.ReadAll();
        var added = Convert(image);
        File.WriteAllBytes(volume.Image, image);

        var after = volume.Identify();
        Assert.Null(after.Note);
        Assert.Equal(before.Used.CountUsed() + NodeSize / 4096, after.Used.CountUsed());
        Assert.True(after.Used[added / 4096]);
        Assert.Equal(files, volume.HashFiles(volume.CopyWithGarbageInUnused(after)));
    }

    /// <returns>Where the new tree's only node is.</returns>
    private static long Convert(byte[] image)
    {
        var generation = image.U64(Super + 72);
        var rootLeaf = Place(image, image.U64(Super + 80));
        var roots = Read(image, rootLeaf);
        var extentRoot = roots.Single(item => item.Key == new BtrfsKey(ExtentTree, BtrfsKey.RootItem, 0));
        var extentLeaf = Place(image, extentRoot.Data.U64(176));
        Assert.Equal((0, 0), (image[rootLeaf + 100], image[extentLeaf + 100]));
        var extents = Read(image, extentLeaf);
        var groups = extents.Where(item => item.Key.Type == BtrfsKey.BlockGroupItem).ToList();
        extents.RemoveAll(groups.Contains);

        // The end of the metadata block group (flags, at 16: 4) is still free.
        var group = groups.Single(item => (item.Data.U64(16) & 4) != 0);
        var address = group.Key.Object + group.Key.Offset - NodeSize;
        Assert.DoesNotContain(extents, item => item.Key.Object >= address && item.Key.Object < address + NodeSize);
        Add(group.Data, 0, NodeSize);
        Add(image, Super + 120, NodeSize);
        // One reference, by tree 11 (type 176), to a tree's node (flags 2).
        extents.Add(new Item(new BtrfsKey(address, BtrfsKey.MetadataItem, 0), [.. BitConverter.GetBytes(1UL), .. BitConverter.GetBytes(generation), .. BitConverter.GetBytes(2UL), 176, .. BitConverter.GetBytes(BlockGroupTree)]));
        var root = new Item(new BtrfsKey(BlockGroupTree, BtrfsKey.RootItem, 0), [.. extentRoot.Data]);
        BitConverter.TryWriteBytes(root.Data.AsSpan(160), generation);
        BitConverter.TryWriteBytes(root.Data.AsSpan(176), address);
        roots.Add(root);

        var node = Place(image, address);
        image.AsSpan(extentLeaf, Header).CopyTo(image.AsSpan(node));
        BitConverter.TryWriteBytes(image.AsSpan(node + 48), address);
        BitConverter.TryWriteBytes(image.AsSpan(node + 80), generation);
        BitConverter.TryWriteBytes(image.AsSpan(node + 88), BlockGroupTree);
        Write(image, node, groups);
        Write(image, extentLeaf, extents);
        Write(image, rootLeaf, roots);
        BitConverter.TryWriteBytes(image.AsSpan(Super + 180), image.U64(Super + 180) | (ulong)BtrfsReadOnlyCompat.BlockGroupTree);
        Seal(image, Super, BtrfsSuperblock.Size);
        return node;
    }

    /// <summary>With single profiles mkfs.btrfs puts every chunk where its logical address says.</summary>
    private static int Place(byte[] image, ulong address)
    {
        Assert.InRange(address, 1UL << 20, (ulong)image.Length - NodeSize);
        return (int)address;
    }

    private static List<Item> Read(byte[] image, int leaf) =>
        [.. Enumerable.Range(0, (int)image.U32(leaf + 96)).Select(i => leaf + Header + ItemSize * i).Select(at =>
            new Item(BtrfsKey.Read(image.AsSpan(at, BtrfsKey.Size)), image.AsSpan(leaf + Header + (int)image.U32(at + 17), (int)image.U32(at + 21)).ToArray()))];

    private static void Write(byte[] image, int leaf, List<Item> items)
    {
        BitConverter.TryWriteBytes(image.AsSpan(leaf + 96), items.Count);
        image.AsSpan(leaf + Header, NodeSize - Header).Clear();
        var (at, end) = (leaf + Header, NodeSize - Header);
        foreach (var (key, data) in items.OrderBy(item => item.Key).Select(item => (item.Key, item.Data)))
        {
            end -= data.Length;
            Assert.True(end > at - leaf);
            BitConverter.TryWriteBytes(image.AsSpan(at), key.Object);
            image[at + 8] = key.Type;
            BitConverter.TryWriteBytes(image.AsSpan(at + 9), key.Offset);
            BitConverter.TryWriteBytes(image.AsSpan(at + 17), end);
            BitConverter.TryWriteBytes(image.AsSpan(at + 21), data.Length);
            data.CopyTo(image, leaf + Header + end);
            at += ItemSize;
        }
        Seal(image, leaf, NodeSize);
    }

    private static void Add(byte[] bytes, int at, ulong value) => BitConverter.TryWriteBytes(bytes.AsSpan(at), bytes.U64(at) + value);

    private static void Seal(byte[] image, int at, int length) =>
        BtrfsChecksum.Compute(BtrfsChecksumKind.Crc32C, image.AsSpan(at + 32, length - 32), image.AsSpan(at, 32));
}
