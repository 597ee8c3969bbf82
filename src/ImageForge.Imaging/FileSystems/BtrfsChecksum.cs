using System.Buffers.Binary;
using System.Security.Cryptography;
using ImageForge.Imaging.Disks;

namespace ImageForge.Imaging.FileSystems;

/// <summary>The numbers are those of the superblock.</summary>
internal enum BtrfsChecksumKind : ushort
{
    Crc32C = 0, XxHash64 = 1, Sha256 = 2, Blake2B = 3,
}

/// <summary>Superblock and nodes start with 32 bytes for the checksum of everything behind them; shorter checksums leave the rest zero.</summary>
internal static class BtrfsChecksum
{
    private const int Room = 32;

    public static bool IsRight(BtrfsChecksumKind kind, ReadOnlySpan<byte> block)
    {
        Span<byte> sum = stackalloc byte[Room];
        var length = Compute(kind, block[Room..], sum);
        return block[..length].SequenceEqual(sum[..length]);
    }

    /// <returns>Bytes of the checksum.</returns>
    public static int Compute(BtrfsChecksumKind kind, ReadOnlySpan<byte> data, Span<byte> sum)
    {
        switch (kind)
        {
            case BtrfsChecksumKind.Crc32C:
                BinaryPrimitives.WriteUInt32LittleEndian(sum, ~Crc32.Castagnoli(~0u, data));
                return 4;
            case BtrfsChecksumKind.XxHash64:
                BinaryPrimitives.WriteUInt64LittleEndian(sum, XxHash64.Hash(data));
                return 8;
            case BtrfsChecksumKind.Sha256:
                return SHA256.HashData(data, sum);
            default:
                Blake2B.Hash256(data, sum);
                return 32;
        }
    }
}
