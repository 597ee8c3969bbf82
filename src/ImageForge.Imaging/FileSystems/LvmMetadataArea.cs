using ImageForge.Imaging.Disks;

namespace ImageForge.Imaging.FileSystems;

/// <summary>
/// A circular buffer of metadata texts behind a header of 512 bytes (lvm2, <c>lib/format_text/layout.h</c>): 0 checksum of 4 to 511,
/// 4 magic, 20 version 1, 24 where the area begins, 32 its bytes, 40 four locations of offset u64, bytes u64, checksum u32, flags u32:
/// the text in force, and one being written.
/// </summary>
internal static class LvmMetadataArea
{
    public const int HeaderBytes = 512;

    private const int MaxTextBytes = 1 << 20;

    private const uint Ignored = 1;

    private static ReadOnlySpan<byte> Magic => " LVM2 x[5A%r0N*>"u8;

    /// <summary>The text in force; null if there is none (no group yet) or the area is switched off.</summary>
    /// <exception cref="DamagedVolumeException">Header or text are not sound, or a change of them was interrupted.</exception>
    public static byte[]? ReadText(VolumeReader volume, long offset, long length)
    {
        var header = volume.Read(offset, HeaderBytes);
        if (!header.AsSpan(4).StartsWith(Magic) || header.U32(20) != 1 || header.U32(0) != Crc32.Lvm2(header.AsSpan(4)))
            throw new DamagedVolumeException("the header of a metadata area is damaged");
        if (header.U64(24) != (ulong)offset || header.U64(32) != (ulong)length)
            throw new DamagedVolumeException("a metadata area belongs elsewhere");
        var (start, bytes, checksum, flags) = (header.U64(40), header.U64(48), header.U32(56), header.U32(60));
        if ((flags & Ignored) != 0 || start == 0)
            return null;
        if (header.U64(64) != 0)
            throw new DamagedVolumeException("a change of its metadata was interrupted");
        if (start < HeaderBytes || start >= (ulong)length || bytes is 0 or > MaxTextBytes || bytes > (ulong)length - HeaderBytes)
            throw new DamagedVolumeException("its metadata text lies outside its area");
        var text = new byte[(int)bytes];
        // What does not fit before the end goes on behind the header.
        var first = (int)Math.Min((long)bytes, length - (long)start);
        volume.Read(offset + (long)start, text.AsSpan(0, first));
        volume.Read(offset + HeaderBytes, text.AsSpan(first));
        return Crc32.Lvm2(text) == checksum ? text : throw new DamagedVolumeException("the checksum of its metadata text is wrong");
    }
}
