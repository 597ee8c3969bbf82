using System.Buffers.Binary;
using System.Text;

namespace ImageForge.Imaging.Imports.Partclone;

internal enum PartcloneChecksum { None = 0, Crc32 = 0x20, Xxh64 = 0x30, Crc32Of0001 = 0xFF }

/// <summary>
/// The start of a partclone image (IMAGE_FORMATS.md and partclone.h of the project), little-endian:
/// <code>
/// format 0001                                 format 0002
///    0  15  "partclone-image"                    0  16  "partclone-image", 0
///   15  15  file system                         16  14  version of the program
///   30   4  "0001"                              30   4  "0002"
///   36   4  block size                          34   2  0xC0DE
///   40   8  device size                         36  16  file system
///   48   8  blocks                              52   8  device size        60  8  blocks
///   56   8  used blocks                         68   8  used blocks        76  8  used blocks in the bitmap
///   64 4096 unused                              84   4  block size         88  4  18, size of what follows
/// 4160      a byte per block, "BiTmAgIc"        92   2  2                  94  2  bits of the machine
///                                               96   2  checksum, see PartcloneChecksum   98  2  its bytes
///                                              100   4  blocks per checksum  104 1 reseed  105 1 bitmap: 0 none, 1 bits, 8 bytes
///                                              106   4  CRC-32 of bytes 0 to 105
///                                              110      the bitmap and its CRC-32
/// </code>
/// The CRC is that of ISO 3309 without the final inversion. Then the used blocks, each strip of them followed by its checksum.
/// </summary>
/// <param name="BlocksPerChecksum">0: there are no checksums.</param>
/// <param name="Reseed">Each strip's checksum begins anew.</param>
internal sealed record PartcloneHeader(
    int Version, string FileSystem, long DeviceSize, long Blocks, int BlockSize,
    PartcloneChecksum Checksum, int BlocksPerChecksum, bool Reseed, int BitmapMode)
{
    public const int Length0002 = 110, Length0001 = 4160;
    public const int BitmapNone = 0, BitmapBits = 1, BitmapBytes = 8;

    /// <summary>16 TiB at 4 KiB. The map is kept in memory: a bit each.</summary>
    public const long MaxBlocks = 1L << 32;

    private const int MaxBlockSize = 32 << 20;

    public static ReadOnlySpan<byte> Magic => "partclone-image"u8;

    /// <summary>Bytes the blocks cover; the device may be a little larger.</summary>
    public long ContentBytes => Blocks * BlockSize;

    /// <summary>What a partition must hold.</summary>
    public long VolumeBytes => Math.Max(ContentBytes, DeviceSize);

    public int ChecksumBytes => Checksum switch { PartcloneChecksum.None => 0, PartcloneChecksum.Xxh64 => 8, _ => 4 };

    /// <param name="name">For sentences.</param>
    /// <param name="stream">At its start; left behind the header.</param>
    /// <exception cref="Contracts.FailureException"><c>importDamaged</c>, <c>importUnsupported</c>.</exception>
    public static PartcloneHeader Read(string name, Stream stream)
    {
        var bytes = new byte[Length0002];
        if (stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) < bytes.Length)
            throw ImportFailures.Damaged(name, "it ends within its header");
        if (!bytes.AsSpan().StartsWith(Magic))
            throw ImportFailures.Unsupported(name, "it is not a partclone image", "Name an image that partclone made.");
        var version = Encoding.Latin1.GetString(bytes, 30, 4);
        var header = version switch
        {
            "0001" => Read0001(name, bytes, stream),
            "0002" => Read0002(name, bytes),
            _ => throw ImportFailures.Unsupported(name, $"its format is {Printable(version)}; 0001 and 0002 are known", "Restore it with the partclone that made it and import the disk."),
        };
        if (header.BlockSize is < 512 or > MaxBlockSize || header.BlockSize % 512 != 0)
            throw ImportFailures.Damaged(name, $"it claims blocks of {header.BlockSize} bytes");
        if (header.Blocks is < 1 or > MaxBlocks || header.ContentBytes > 1L << 50 || header.DeviceSize is < 0 or > 1L << 50)
            throw ImportFailures.Damaged(name, $"it claims {header.Blocks} blocks");
        // A device is at most a little larger than its file system: partclone copies no more than that either.
        return header.DeviceSize > header.ContentBytes * 2 + (1L << 30) ? throw ImportFailures.Damaged(name, $"it claims a device of {header.DeviceSize} bytes") : header;
    }

    private static PartcloneHeader Read0001(string name, ReadOnlySpan<byte> bytes, Stream stream)
    {
        Span<byte> unused = stackalloc byte[Length0001 - Length0002];
        if (stream.ReadAtLeast(unused, unused.Length, throwOnEndOfStream: false) < unused.Length)
            throw ImportFailures.Damaged(name, "it ends within its header");
        return new PartcloneHeader(1, Text(bytes.Slice(15, 15)),
            0, BinaryPrimitives.ReadInt64LittleEndian(bytes[48..]), BinaryPrimitives.ReadInt32LittleEndian(bytes[36..]),
            PartcloneChecksum.Crc32Of0001, 1, Reseed: false, BitmapBytes);
    }

    private static PartcloneHeader Read0002(string name, ReadOnlySpan<byte> bytes)
    {
        if (PartcloneCrc.Update(PartcloneCrc.Seed, bytes[..106]) != BinaryPrimitives.ReadUInt32LittleEndian(bytes[106..]))
            throw ImportFailures.Damaged(name, "the checksum of its header is wrong");
        if (BinaryPrimitives.ReadUInt16LittleEndian(bytes[34..]) != 0xC0DE)
            throw ImportFailures.Unsupported(name, "it was made on a big-endian machine", "Restore it on such a machine and import the disk.");
        var checksum = (PartcloneChecksum)BinaryPrimitives.ReadUInt16LittleEndian(bytes[96..]);
        if (checksum is not (PartcloneChecksum.None or PartcloneChecksum.Crc32 or PartcloneChecksum.Xxh64))
            throw ImportFailures.Unsupported(name, $"its checksum 0x{(int)checksum:x} is not known", "Restore it with the partclone that made it and import the disk.");
        var perChecksum = checksum == PartcloneChecksum.None ? 0 : BinaryPrimitives.ReadUInt32LittleEndian(bytes[100..]);
        var header = new PartcloneHeader(2, Text(bytes.Slice(36, 16)),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[52..]), BinaryPrimitives.ReadInt64LittleEndian(bytes[60..]), BinaryPrimitives.ReadInt32LittleEndian(bytes[84..]),
            checksum, (int)Math.Min(perChecksum, int.MaxValue), bytes[104] != 0, bytes[105]);
        if (header.BitmapMode is not (BitmapNone or BitmapBits or BitmapBytes))
            throw ImportFailures.Damaged(name, $"it claims a bitmap of the kind {header.BitmapMode}");
        if (BinaryPrimitives.ReadUInt16LittleEndian(bytes[98..]) != header.ChecksumBytes)
            throw ImportFailures.Damaged(name, "the length of its checksums is wrong");
        return header;
    }

    private static string Text(ReadOnlySpan<byte> bytes)
    {
        var end = bytes.IndexOf((byte)0);
        return Printable(Encoding.Latin1.GetString(end < 0 ? bytes : bytes[..end]));
    }

    private static string Printable(string text) => string.Concat(text.Select(c => char.IsAsciiLetterOrDigit(c) || c is ' ' or '+' or '-' or '.' ? c : '?'));
}
