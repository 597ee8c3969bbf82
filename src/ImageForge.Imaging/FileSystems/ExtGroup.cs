using System.Buffers.Binary;
using ImageForge.Imaging.Disks;

namespace ImageForge.Imaging.FileSystems;

/// <summary>
/// One block group descriptor (kernel documentation, "Block Group Descriptors"): 0x00/0x20 block bitmap, 0x04/0x24 inode bitmap,
/// 0x08/0x28 inode table, 0x0C/0x2C free clusters, 0x12 flags, 0x18/0x38 checksum of the block bitmap, 0x1E checksum. The second offset is
/// the high half, in descriptors of 64 bytes and more.
/// </summary>
internal readonly record struct ExtGroup(long BlockBitmap, long InodeBitmap, long InodeTable, long FreeClusters, bool BlockUninit, uint BitmapChecksum)
{
    private const ushort BlockUninitFlag = 2;

    public static ExtGroup Parse(ReadOnlySpan<byte> d, ExtSuperblock super, long group)
    {
        if (super.GroupCsum && Checksum(d, super, (uint)group) != d.U16(0x1E))
            throw new DamagedVolumeException($"the descriptor of group {group} has a wrong checksum");
        var wide = super.DescriptorSize >= 64;
        long Block(ReadOnlySpan<byte> bytes, int low, int high)
        {
            var block = bytes.U32(low) | (wide ? (ulong)bytes.U32(high) << 32 : 0);
            return block > (ulong)super.FirstDataBlock && block < (ulong)super.Blocks
                ? (long)block
                : throw new DamagedVolumeException($"the descriptor of group {group} points outside the file system");
        }
        return new ExtGroup(Block(d, 0x00, 0x20), Block(d, 0x04, 0x24), Block(d, 0x08, 0x28),
            d.U16(0x0C) | (wide ? (long)d.U16(0x2C) << 16 : 0),
            super.GroupCsum && (d.U16(0x12) & BlockUninitFlag) != 0,
            d.U16(0x18) | (wide ? (uint)d.U16(0x38) << 16 : 0));
    }

    /// <summary>metadata_csum keeps the low half of a CRC-32C, uninit_bg a CRC-16; both over UUID (or seed), group number and descriptor.</summary>
    private static ushort Checksum(ReadOnlySpan<byte> d, ExtSuperblock super, uint group)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(number, group);
        if (super.MetadataCsum)
        {
            var crc = Crc32.Castagnoli(super.ChecksumSeed, number);
            crc = Crc32.Castagnoli(crc, d[..0x1E]);
            crc = Crc32.Castagnoli(crc, [0, 0]);
            return (ushort)Crc32.Castagnoli(crc, d[0x20..]);
        }
        var sum = Crc16(0xFFFF, super.UuidBytes);
        sum = Crc16(sum, number);
        sum = Crc16(sum, d[..0x1E]);
        return Crc16(sum, d[0x20..]);
    }

    /// <summary>CRC-16, polynomial 0x8005 reflected.</summary>
    private static ushort Crc16(ushort crc, ReadOnlySpan<byte> data)
    {
        foreach (var b in data)
        {
            crc ^= b;
            for (var bit = 0; bit < 8; bit++)
                crc = (ushort)((crc & 1) != 0 ? 0xA001 ^ crc >> 1 : crc >> 1);
        }
        return crc;
    }
}
