using System.IO.Compression;

namespace ImageForge.Imaging.Imports.Streams;

/// <summary>Finds out by the first bytes how a stream is compressed, and undoes it. What we do not know ourselves a program of that name does.</summary>
internal static class Compression
{
    private const int HeadBytes = 8;

    /// <summary>
    /// Magics: gzip RFC 1952 §2.3.1, zstd RFC 8878 §3.1.1, xz "The .xz File Format" §2.1.1.1, LZ4 Frame Format §General Structure,
    /// bzip2 <c>BZh</c>, lzip manual §File format, lzop <c>89 4C 5A 4F</c>.
    /// </summary>
    /// <param name="name">For sentences.</param>
    /// <param name="stream">Belongs to the result.</param>
    public static Stream Undo(string name, Stream stream)
    {
        var (head, whole) = Peek(stream);
        if (head is [0x1F, 0x8B, ..])
            return new GZipStream(whole, CompressionMode.Decompress);
        if (head is [0x28, 0xB5, 0x2F, 0xFD, ..] or [>= 0x50 and <= 0x5F, 0x2A, 0x4D, 0x18, ..])
            return new ZstdStream(whole);
        if (head is [0xFD, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0, ..])
            return new FilterProgram(name, "xz", "xz-utils", whole);
        if (head is [0x04, 0x22, 0x4D, 0x18, ..])
            return new FilterProgram(name, "lz4", "lz4", whole);
        if (head is [(byte)'B', (byte)'Z', (byte)'h', ..])
            return new FilterProgram(name, "bzip2", "bzip2", whole);
        if (head is [(byte)'L', (byte)'Z', (byte)'I', (byte)'P', ..])
            return new FilterProgram(name, "lzip", "lzip", whole);
        if (head is [0x89, (byte)'L', (byte)'Z', (byte)'O', ..])
            return new FilterProgram(name, "lzop", "lzop", whole);
        // The older form of lzma has no magic, only its usual first properties.
        if (head is [0x5D, 0, 0, ..])
            return new FilterProgram(name, "xz", "xz-utils", whole);
        if (head is [(byte)'L', (byte)'R', (byte)'Z', (byte)'I', ..])
            throw ImportFailures.Unsupported(name, "lrzip cannot be read as a stream", "Unpack it first: lrzip -d.");
        return whole;
    }

    /// <summary>Nothing was undone.</summary>
    public static bool IsPlain(Stream stream) => stream is PushedBack;

    /// <summary>The first bytes, and the stream from its start again.</summary>
    public static (byte[] Head, Stream Whole) Peek(Stream stream, int bytes = HeadBytes)
    {
        var head = new byte[bytes];
        var length = stream.ReadAtLeast(head, bytes, throwOnEndOfStream: false);
        return (head[..length], new PushedBack(head[..length], stream));
    }
}
