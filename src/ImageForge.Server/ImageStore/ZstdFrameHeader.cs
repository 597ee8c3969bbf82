using System.Buffers.Binary;

namespace ImageForge.Server.ImageStore;

/// <summary>
/// Reads how long the content of a stored frame is, which nothing else records (RFC 8878 §3.1.1.1):
/// <code>
/// magic 28 B5 2F FD · descriptor · [window 1] · [dictionary id 0,1,2,4] · [content size 0,1,2,4,8]
/// descriptor: bits 7-6 size of content size, bit 5 single segment (no window byte), bits 1-0 size of dictionary id
/// </code>
/// </summary>
internal static class ZstdFrameHeader
{
    /// <summary>Longest header of a frame.</summary>
    public const int MaxLength = 18;

    private const uint Magic = 0xFD2FB528;

    /// <summary>Plain bytes the frame says it holds; null: no frame, or one that does not say.</summary>
    public static long? ContentSize(ReadOnlySpan<byte> frame)
    {
        if (frame.Length < 6 || BinaryPrimitives.ReadUInt32LittleEndian(frame) != Magic)
            return null;
        var descriptor = frame[4];
        var singleSegment = (descriptor & 0x20) != 0;
        var sizeBytes = (descriptor >> 6) switch { 0 => singleSegment ? 1 : 0, 1 => 2, 2 => 4, _ => 8 };
        var dictionaryBytes = (descriptor & 3) switch { 3 => 4, var n => n };
        var field = frame[Math.Min(frame.Length, 5 + (singleSegment ? 0 : 1) + dictionaryBytes)..];
        if (sizeBytes == 0 || field.Length < sizeBytes)
            return null;
        return sizeBytes switch
        {
            1 => field[0],
            2 => BinaryPrimitives.ReadUInt16LittleEndian(field) + 256, // §3.1.1.1.4: the two-byte form starts at 256
            4 => BinaryPrimitives.ReadUInt32LittleEndian(field),
            _ => BinaryPrimitives.ReadInt64LittleEndian(field),
        };
    }
}
