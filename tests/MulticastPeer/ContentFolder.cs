using System.Runtime.InteropServices;
using System.Security.Cryptography;
using ImageForge.Imaging.Chunks;
using ImageForge.Multicast.Frames;
using Microsoft.Win32.SafeHandles;

namespace ImageForge.MulticastPeer;

/// <summary>
/// A session's content in a folder: <c>frames</c> holds the stored zstd frames one after another (what a peer program sends as it is), <c>index</c>
/// per chunk its plain length i32, frame length i32 and SHA-256.
/// </summary>
public sealed class ContentFolder : IFrameSource, IDisposable
{
    private const int EntryBytes = 8 + SHA256.HashSizeInBytes;

    private readonly byte[] _index;
    private readonly long[] _offsets;
    private readonly SafeFileHandle _frames;

    public ContentFolder(string folder)
    {
        _index = File.ReadAllBytes(Path.Combine(folder, "index"));
        _frames = File.OpenHandle(Path.Combine(folder, "frames"));
        var chunks = _index.Length / EntryBytes;
        _offsets = new long[chunks];
        var plain = new int[chunks];
        for (var chunk = 0; chunk < chunks; chunk++)
        {
            plain[chunk] = MemoryMarshal.Read<int>(Entry(chunk));
            if (chunk > 0)
                _offsets[chunk] = _offsets[chunk - 1] + FrameLength(chunk - 1);
        }
        Content = new SessionContent(plain);
    }

    public SessionContent Content { get; }

    /// <summary>Bytes of all frames.</summary>
    public long Bytes => _offsets.Length == 0 ? 0 : _offsets[^1] + FrameLength(_offsets.Length - 1);

    public ReadOnlySpan<byte> Hash(int chunk) => Entry(chunk)[8..];

    public ValueTask<int> ReadFrameAsync(int chunk, Memory<byte> frame, CancellationToken cancel)
    {
        var length = FrameLength(chunk);
        return ValueTask.FromResult(RandomAccess.Read(_frames, frame.Span[..length], _offsets[chunk]) == length ? length : 0);
    }

    /// <summary>Makes content from a seed: noise that does not compress, or text of which a chunk compresses to about half.</summary>
    public static void Make(string folder, int seed, int chunks, int chunkBytes, bool compressible)
    {
        Directory.CreateDirectory(folder);
        using var frames = File.Create(Path.Combine(folder, "frames"));
        using var index = File.Create(Path.Combine(folder, "index"));
        using var compressor = new ZstdCompressor();
        var random = new Random(seed);
        var plain = new byte[chunkBytes];
        var frame = new byte[ZstdCompressor.Bound(chunkBytes)];
        Span<byte> entry = stackalloc byte[EntryBytes];
        for (var chunk = 0; chunk < chunks; chunk++)
        {
            random.NextBytes(plain);
            if (compressible)
                for (var i = 0; i < plain.Length; i++)
                    plain[i] = (byte)('a' + (plain[i] & 15));
            var length = compressor.Compress(plain, frame, 3);
            frames.Write(frame, 0, length);
            MemoryMarshal.Write(entry, chunkBytes);
            MemoryMarshal.Write(entry[4..], length);
            SHA256.HashData(plain, entry[8..]);
            index.Write(entry);
        }
    }

    public void Dispose() => _frames.Dispose();

    private Span<byte> Entry(int chunk) => _index.AsSpan(chunk * EntryBytes, EntryBytes);

    private int FrameLength(int chunk) => MemoryMarshal.Read<int>(Entry(chunk)[4..]);
}
