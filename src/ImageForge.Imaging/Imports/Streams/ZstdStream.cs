using System.Runtime.InteropServices;

namespace ImageForge.Imaging.Imports.Streams;

/// <summary>Decompresses any number of zstd frames in a row (<c>zstd</c>, <c>zstdmt --ultra</c>, <c>pzstd</c>), whatever their length. Forward only.</summary>
internal sealed unsafe partial class ZstdStream : ForwardStream
{
    private const string Library = "libzstd";

    private readonly Stream _input;
    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(256 << 10, pinned: true);
    private nint _context = Create();
    private int _from, _to;
    private bool _inFrame, _ended;

    /// <param name="input">Belongs to the stream.</param>
    public ZstdStream(Stream input)
    {
        // The library's loader is set up by the compressor's bindings.
        _ = Chunks.ZstdCompressor.Bound(1);
        _input = input;
    }

    ~ZstdStream() => Release();

    /// <exception cref="InvalidDataException">It is not zstd, or cut off.</exception>
    public override int Read(Span<byte> buffer)
    {
        ObjectDisposedException.ThrowIf(_context == 0, this);
        while (buffer.Length > 0)
        {
            if (_from == _to && !_ended)
            {
                _from = 0;
                _to = _input.Read(_buffer);
                _ended = _to == 0;
            }
            if (_ended && !_inFrame)
                return 0;
            int written;
            fixed (byte* source = _buffer, destination = buffer)
            {
                var input = new Buffer { Pointer = source + _from, Size = (nuint)(_to - _from) };
                var output = new Buffer { Pointer = destination, Size = (nuint)buffer.Length };
                var left = Decompress(_context, &output, &input);
                if (IsError(left) != 0)
                    throw new InvalidDataException(Marshal.PtrToStringUTF8(ErrorName(left)));
                _from += (int)input.Position;
                written = (int)output.Position;
                _inFrame = left != 0;
                if (_ended && written == 0)
                    throw new InvalidDataException("it is cut off");
            }
            if (written > 0)
                return written;
        }
        return 0;
    }

    protected override void Dispose(bool disposing)
    {
        Release();
        if (disposing)
            _input.Dispose();
        base.Dispose(disposing);
    }

    private void Release()
    {
        if (_context != 0)
            _ = Free(_context);
        _context = 0;
    }

    /// <summary>ZSTD_inBuffer and ZSTD_outBuffer have the same shape.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Buffer
    {
        public byte* Pointer;
        public nuint Size;
        public nuint Position;
    }

    [LibraryImport(Library, EntryPoint = "ZSTD_createDStream")]
    private static partial nint Create();

    [LibraryImport(Library, EntryPoint = "ZSTD_freeDStream")]
    private static partial nuint Free(nint context);

    [LibraryImport(Library, EntryPoint = "ZSTD_decompressStream")]
    private static partial nuint Decompress(nint context, Buffer* output, Buffer* input);

    [LibraryImport(Library, EntryPoint = "ZSTD_isError")]
    private static partial uint IsError(nuint code);

    [LibraryImport(Library, EntryPoint = "ZSTD_getErrorName")]
    private static partial nint ErrorName(nuint code);
}
