using System.Buffers.Binary;
using System.Numerics;

namespace ImageForge.Imaging.Disks;

/// <summary>CRC-32 as GPT uses it (ISO 3309, polynomial 0xEDB88320 reflected) and CRC-32C (Castagnoli) as ext4 and later XFS and Btrfs do.</summary>
internal static class Crc32
{
    private static readonly uint[] s_table = MakeTable();

    public static uint Ieee(ReadOnlySpan<byte> data) => ~Remainder(~0u, data);

    /// <summary>LVM2 (<c>lib/misc/crc.c</c>): its own start value, and no final inversion.</summary>
    public static uint Lvm2(ReadOnlySpan<byte> data) => Remainder(0xF597A6CF, data);

    /// <summary>Without inversions, from any start: F2FS and LVM2 have their own.</summary>
    public static uint Remainder(uint crc, ReadOnlySpan<byte> data)
    {
        foreach (var b in data)
            crc = s_table[(byte)(crc ^ b)] ^ crc >> 8;
        return crc;
    }

    /// <summary>Without the final inversion: ext4 chains the raw remainder, starting from ~0.</summary>
    public static uint Castagnoli(uint crc, ReadOnlySpan<byte> data)
    {
        for (; data.Length >= 8; data = data[8..])
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(data));
        foreach (var b in data)
            crc = BitOperations.Crc32C(crc, b);
        return crc;
    }

    private static uint[] MakeTable()
    {
        var table = new uint[256];
        for (uint i = 0; i < 256; i++)
        {
            var c = i;
            for (var bit = 0; bit < 8; bit++)
                c = (c & 1) != 0 ? 0xEDB88320 ^ c >> 1 : c >> 1;
            table[i] = c;
        }
        return table;
    }
}
