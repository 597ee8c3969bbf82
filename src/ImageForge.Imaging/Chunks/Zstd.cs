using System.Runtime.InteropServices;

namespace ImageForge.Imaging.Chunks;

/// <summary>Compresses whole frames. Keeps its native context between calls; one instance per worker, not thread-safe.</summary>
public sealed class ZstdCompressor : IDisposable
{
    private nint _context;

    public ZstdCompressor()
    {
        _context = ZstdNative.CreateCompressor();
        if (_context == 0)
            throw new InvalidOperationException("libzstd gave no compression context (out of memory)");
    }

    ~ZstdCompressor() => Release();

    /// <summary>Largest frame that <paramref name="plainLength"/> bytes can become; incompressible data is stored in raw blocks.</summary>
    public static int Bound(int plainLength) => checked((int)ZstdNative.CompressBound((nuint)plainLength));

    /// <summary>Writes one frame and returns its length.</summary>
    /// <param name="frame">At least <see cref="Bound"/> bytes.</param>
    /// <param name="level">zstd level, 1 to 19.</param>
    public unsafe int Compress(ReadOnlySpan<byte> plain, Span<byte> frame, int level)
    {
        ObjectDisposedException.ThrowIf(_context == 0, this);
        ArgumentOutOfRangeException.ThrowIfLessThan(level, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(level, 19);
        fixed (byte* source = plain, destination = frame)
        {
            var length = ZstdNative.Compress(_context, destination, (nuint)frame.Length, source, (nuint)plain.Length, level);
            if (ZstdNative.IsError(length) != 0)
                throw new InvalidOperationException($"zstd could not compress {plain.Length} bytes into {frame.Length}: {Marshal.PtrToStringUTF8(ZstdNative.ErrorName(length))}");
            return (int)length;
        }
    }

    public void Dispose()
    {
        Release();
        GC.SuppressFinalize(this);
    }

    private void Release()
    {
        if (_context != 0)
            _ = ZstdNative.FreeCompressor(_context);
        _context = 0;
    }
}

/// <summary>Decompresses whole frames into a buffer of fixed size: a frame that would need more is an error, never an allocation. Not thread-safe.</summary>
public sealed class ZstdDecompressor : IDisposable
{
    private const uint FrameMagic = 0xFD2FB528; // RFC 8878 §3.1.1; skippable frames are not content
    private nint _context;

    public ZstdDecompressor()
    {
        _context = ZstdNative.CreateDecompressor();
        if (_context == 0)
            throw new InvalidOperationException("libzstd gave no decompression context (out of memory)");
    }

    ~ZstdDecompressor() => Release();

    /// <summary>True only if <paramref name="frame"/> is exactly one frame and it fills <paramref name="plain"/> exactly.</summary>
    public unsafe bool TryDecompress(ReadOnlySpan<byte> frame, Span<byte> plain)
    {
        ObjectDisposedException.ThrowIf(_context == 0, this);
        if (frame.Length < 4 || System.Buffers.Binary.BinaryPrimitives.ReadUInt32LittleEndian(frame) != FrameMagic)
            return false;
        fixed (byte* source = frame, destination = plain)
        {
            var length = ZstdNative.FrameLength(source, (nuint)frame.Length);
            if (ZstdNative.IsError(length) != 0 || length != (nuint)frame.Length)
                return false;
            var written = ZstdNative.Decompress(_context, destination, (nuint)plain.Length, source, (nuint)frame.Length);
            return ZstdNative.IsError(written) == 0 && written == (nuint)plain.Length;
        }
    }

    /// <summary>The plain length a frame claims, or -1 if it claims none: known before anything is allocated.</summary>
    public static unsafe long ClaimedLength(ReadOnlySpan<byte> frame)
    {
        fixed (byte* source = frame)
        {
            var size = ZstdNative.ContentSize(source, (nuint)frame.Length);
            return size > long.MaxValue ? -1 : (long)size; // the two error codes are the largest values
        }
    }

    public void Dispose()
    {
        Release();
        GC.SuppressFinalize(this);
    }

    private void Release()
    {
        if (_context != 0)
            _ = ZstdNative.FreeDecompressor(_context);
        _context = 0;
    }
}
