using System.Buffers.Binary;
using System.Numerics;
using ImageForge.Imaging.Disks;

namespace ImageForge.Imaging.FileSystems;

/// <summary>
/// ext2, ext3, ext4. Used are: the boot block, every superblock backup with its descriptors, every group's bitmaps and inode
/// table, what the block bitmaps mark, and whatever lies behind the file system's end. A group with BLOCK_UNINIT has no bitmap on disk:
/// of its blocks only the metadata just named is used, as the kernel computes it (ext4_init_block_bitmap).
/// </summary>
internal sealed class ExtReader : IFileSystemReader
{
    public string Name => "ext4";

    public bool IsPresent(VolumeReader volume) =>
        volume.Length >= ExtSuperblock.Offset + ExtSuperblock.Size && ExtSuperblock.HasMagic(volume.Read(ExtSuperblock.Offset, ExtSuperblock.Size));

    public VolumeContent Read(VolumeReader volume)
    {
        var bytes = volume.Read(ExtSuperblock.Offset, ExtSuperblock.Size);
        if (((ExtIncompat)bytes.U32(0x60)).HasFlag(ExtIncompat.JournalDevice))
            return VolumeProbe.AllUsed(FileSystemKind.Unknown, volume.Length, null, null, "An external ext4 journal: taken with every block.");
        var super = ExtSuperblock.Parse(bytes, volume.Length);
        if (ReasonToTakeAll(super) is { } reason)
            return VolumeProbe.AllUsed(super.Kind, volume.Length, super.Uuid, super.Label, reason.Text + ": taken with every block.") with { State = reason.State };

        var map = new UsedMap(volume.Length, super.BlockSize, volume.SectorSize);
        var tail = VolumeTail.Mark(volume, map, super.Blocks * super.BlockSize);
        map.MarkBytes(0, Math.Max(super.FirstDataBlock * super.BlockSize, ExtSuperblock.Offset + ExtSuperblock.Size));
        var bitmap = new byte[super.BlockSize];
        var descriptors = new byte[super.BlockSize];
        for (long group = 0; group < super.Groups; group++)
        {
            var inBlock = (int)(group % super.DescriptorsPerBlock);
            if (inBlock == 0)
                volume.Read(ExtGeometry.DescriptorBlock(super, group / super.DescriptorsPerBlock) * super.BlockSize, descriptors);
            var descriptor = ExtGroup.Parse(descriptors.AsSpan(inBlock * super.DescriptorSize, super.DescriptorSize), super, group);
            MarkMetadata(map, super, group, descriptor);
            if (descriptor.BlockUninit)
                continue;
            volume.Read(descriptor.BlockBitmap * super.BlockSize, bitmap);
            Check(super, group, descriptor, bitmap);
            MarkBitmap(map, super, group, bitmap);
        }
        var note = super.JournalElsewhere ? "Its journal is on another device, which has to be captured as well." : null;
        return new VolumeContent(super.Kind, map.BlockSize, map.Blocks, super.Uuid, super.Label, VolumeContent.Notes(note, tail));
    }

    /// <summary>What makes the bitmaps on disk unfit: they lag behind the journal, or mean something not known here.</summary>
    private static (VolumeState State, string Text)? ReasonToTakeAll(ExtSuperblock super)
    {
        if ((super.Incompat & ~ExtIncompat.Known) is var incompat and not 0)
            return (VolumeState.Clean, $"Uses ext4 features that are not known here (incompat 0x{(uint)incompat:x})");
        if ((super.ReadOnlyCompat & ~ExtReadOnlyCompat.Known) is var readOnly and not 0)
            return (VolumeState.Clean, $"Uses ext4 features that are not known here (ro_compat 0x{(uint)readOnly:x})");
        // Blocks that a pending transaction allocates are free in the bitmap on disk: skipping them would lose files.
        if (super.Incompat.HasFlag(ExtIncompat.Recover))
            return (VolumeState.JournalPending, "Its journal needs recovery (the machine was not shut down)");
        if (super.Errors)
            return (VolumeState.Errors, "It is marked as having errors (run e2fsck)");
        return super.Clean ? null : (VolumeState.Dirty, "It was not unmounted cleanly");
    }

    private static void MarkMetadata(UsedMap map, ExtSuperblock super, long group, ExtGroup descriptor)
    {
        long size = super.BlockSize;
        var first = ExtGeometry.FirstBlock(super, group);
        var blocks = Math.Min(ExtGeometry.BaseMetadataBlocks(super, group), ExtGeometry.BlockCount(super, group));
        if (descriptor.InodeTable > super.Blocks - super.InodeTableBlocks)
            throw new DamagedVolumeException($"the inode table of group {group} reaches outside the file system");
        // With bigalloc the cluster is what is allocated, and a cluster is never used in part.
        void Mark(long block, long count)
        {
            var start = block - (block - super.FirstDataBlock) % super.BlocksPerCluster;
            var end = Math.Min(super.Blocks, start + (block - start + count + super.BlocksPerCluster - 1) / super.BlocksPerCluster * super.BlocksPerCluster);
            map.MarkBytes(start * size, (end - start) * size);
        }
        if (blocks > 0)
            Mark(first, blocks);
        Mark(descriptor.BlockBitmap, 1);
        Mark(descriptor.InodeBitmap, 1);
        Mark(descriptor.InodeTable, super.InodeTableBlocks);
    }

    private static void Check(ExtSuperblock super, long group, ExtGroup descriptor, ReadOnlySpan<byte> bitmap)
    {
        if (super.MetadataCsum)
        {
            var crc = Crc32.Castagnoli(super.ChecksumSeed, bitmap[..(super.ClustersPerGroup / 8)]);
            if (descriptor.BitmapChecksum != (super.DescriptorSize >= 64 ? crc : crc & 0xFFFF))
                throw new DamagedVolumeException($"the block bitmap of group {group} has a wrong checksum");
        }
        var clusters = Clusters(super, group);
        if (clusters - CountSet(bitmap, clusters) != descriptor.FreeClusters)
            throw new DamagedVolumeException($"the block bitmap of group {group} does not fit its descriptor's free count");
    }

    private static void MarkBitmap(UsedMap map, ExtSuperblock super, long group, ReadOnlySpan<byte> bitmap)
    {
        var start = ExtGeometry.FirstBlock(super, group) * super.BlockSize;
        var clusters = Clusters(super, group);
        var clusterBytes = super.BlockSize * super.BlocksPerCluster;
        // The last cluster may reach beyond the end of the file system; the tail there is used already.
        var whole = (int)(ExtGeometry.BlockCount(super, group) / super.BlocksPerCluster);
        map.MarkBits(start, clusterBytes, bitmap, whole);
        if (whole < clusters && (bitmap[whole >> 3] >> (whole & 7) & 1) != 0)
            map.MarkBytes(start + (long)whole * clusterBytes, super.Blocks * super.BlockSize - start - (long)whole * clusterBytes);
    }

    private static int Clusters(ExtSuperblock super, long group) =>
        (int)((ExtGeometry.BlockCount(super, group) + super.BlocksPerCluster - 1) / super.BlocksPerCluster);

    private static long CountSet(ReadOnlySpan<byte> bitmap, int count)
    {
        long set = 0;
        var words = count / 64;
        for (var i = 0; i < words; i++)
            set += BitOperations.PopCount(BinaryPrimitives.ReadUInt64LittleEndian(bitmap[(8 * i)..]));
        for (var i = words * 64; i < count; i++)
            set += bitmap[i >> 3] >> (i & 7) & 1;
        return set;
    }
}
