namespace ImageForge.Imaging.FileSystems;

/// <summary>Where an ext file system keeps its superblock backups and group descriptors: the same rules as fs/ext4/super.c and balloc.c.</summary>
internal static class ExtGeometry
{
    public static long FirstBlock(ExtSuperblock super, long group) => super.FirstDataBlock + group * super.BlocksPerGroup;

    /// <summary>Blocks of the group; the last one may be short.</summary>
    public static long BlockCount(ExtSuperblock super, long group) => Math.Min(super.BlocksPerGroup, super.Blocks - FirstBlock(super, group));

    /// <summary>Whether the group starts with a copy of the superblock (ext4_bg_has_super).</summary>
    public static bool HasSuperblock(ExtSuperblock super, long group)
    {
        if (group == 0)
            return true;
        if (super.SparseSuper2)
            return group == super.BackupGroups.First || group == super.BackupGroups.Second;
        if (group == 1 || !super.ReadOnlyCompat.HasFlag(ExtReadOnlyCompat.SparseSuper))
            return true;
        return group % 2 != 0 && (IsPower(group, 3) || IsPower(group, 5) || IsPower(group, 7));
    }

    /// <summary>Blocks at the group's start taken by superblock, descriptors and room for more descriptors (ext4_num_base_meta_blocks).</summary>
    public static long BaseMetadataBlocks(ExtSuperblock super, long group)
    {
        var hasSuper = HasSuperblock(super, group);
        long blocks = hasSuper ? 1 : 0;
        // A group of 1 KiB blocks that starts at block 0 (bigalloc) has the boot block before its superblock.
        if (group == 0 && super.FirstDataBlock == 0 && super.BlockSize == 1024)
            blocks++;
        var metaGroup = group / super.DescriptorsPerBlock;
        if (super.MetaBg && metaGroup >= super.FirstMetaBg)
        {
            var inMetaGroup = group % super.DescriptorsPerBlock;
            return blocks + (inMetaGroup == 0 || inMetaGroup == 1 || inMetaGroup == super.DescriptorsPerBlock - 1 ? 1 : 0);
        }
        if (!hasSuper)
            return blocks;
        var descriptors = super.MetaBg ? Math.Min(super.FirstMetaBg, super.DescriptorBlocks) : super.DescriptorBlocks;
        return blocks + descriptors + super.ReservedGdtBlocks;
    }

    /// <summary>The block that holds descriptors number <paramref name="index"/> × descriptors per block and on (descriptor_loc).</summary>
    public static long DescriptorBlock(ExtSuperblock super, long index)
    {
        // The superblock at byte 1024 is in block 1 if blocks have 1 KiB, else in block 0.
        var superblockBlock = super.BlockSize == 1024 ? 1L : 0;
        if (!super.MetaBg || index < super.FirstMetaBg)
            return superblockBlock + 1 + index;
        var group = index * super.DescriptorsPerBlock;
        var offset = HasSuperblock(super, group) ? 1L : 0;
        if (group == 0 && super.BlockSize == 1024 && super.FirstDataBlock == 0)
            offset++;
        return FirstBlock(super, group) + offset;
    }

    private static bool IsPower(long number, long of)
    {
        var power = of;
        while (power < number)
            power *= of;
        return power == number;
    }
}
