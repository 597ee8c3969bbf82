using System.Buffers.Binary;
using System.Numerics;

namespace ImageForge.Imaging.FileSystems;

/// <summary>xxHash-64 with seed 0 ("xxHash fast digest algorithm", version 0.1.1, XXH64 algorithm description). Btrfs offers it as a checksum.</summary>
internal static class XxHash64
{
    private const ulong P1 = 0x9E3779B185EBCA87, P2 = 0xC2B2AE3D27D4EB4F, P3 = 0x165667B19E3779F9, P4 = 0x85EBCA77C2B2AE63, P5 = 0x27D4EB2F165667C5;

    public static ulong Hash(ReadOnlySpan<byte> data)
    {
        var length = (ulong)data.Length;
        ulong hash = P5;
        if (data.Length >= 32)
        {
            var (a, b, c, d) = (unchecked(P1 + P2), P2, 0UL, unchecked(0UL - P1));
            for (; data.Length >= 32; data = data[32..])
            {
                a = Round(a, Word(data, 0));
                b = Round(b, Word(data, 8));
                c = Round(c, Word(data, 16));
                d = Round(d, Word(data, 24));
            }
            hash = BitOperations.RotateLeft(a, 1) + BitOperations.RotateLeft(b, 7) + BitOperations.RotateLeft(c, 12) + BitOperations.RotateLeft(d, 18);
            hash = Merge(Merge(Merge(Merge(hash, a), b), c), d);
        }
        hash += length;
        for (; data.Length >= 8; data = data[8..])
            hash = BitOperations.RotateLeft(hash ^ Round(0, Word(data, 0)), 27) * P1 + P4;
        if (data.Length >= 4)
        {
            hash = BitOperations.RotateLeft(hash ^ BinaryPrimitives.ReadUInt32LittleEndian(data) * P1, 23) * P2 + P3;
            data = data[4..];
        }
        foreach (var b in data)
            hash = BitOperations.RotateLeft(hash ^ b * P5, 11) * P1;
        hash = (hash ^ hash >> 33) * P2;
        hash = (hash ^ hash >> 29) * P3;
        return hash ^ hash >> 32;
    }

    private static ulong Word(ReadOnlySpan<byte> data, int at) => BinaryPrimitives.ReadUInt64LittleEndian(data[at..]);

    private static ulong Round(ulong sum, ulong word) => BitOperations.RotateLeft(sum + word * P2, 31) * P1;

    private static ulong Merge(ulong hash, ulong sum) => (hash ^ Round(0, sum)) * P1 + P4;
}
