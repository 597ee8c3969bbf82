using System.Reflection;
using System.Runtime.InteropServices;

namespace ImageForge.Imaging.Chunks;

/// <summary>
/// The handful of libzstd functions we need (zstd.h, 1.5). In the agent the library is linked statically
/// (<c>DirectPInvoke</c>); elsewhere Debian's <c>libzstd.so.1</c> is loaded, which needs no -dev package.
/// </summary>
internal static partial class ZstdNative
{
    private const string Library = "libzstd";

    static ZstdNative() => NativeLibrary.SetDllImportResolver(typeof(ZstdNative).Assembly, Resolve);

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path) =>
        name == Library && NativeLibrary.TryLoad("libzstd.so.1", out var handle) ? handle : 0;

    [LibraryImport(Library, EntryPoint = "ZSTD_createCCtx")]
    internal static partial nint CreateCompressor();

    [LibraryImport(Library, EntryPoint = "ZSTD_freeCCtx")]
    internal static partial nuint FreeCompressor(nint context);

    [LibraryImport(Library, EntryPoint = "ZSTD_compressCCtx")]
    internal static unsafe partial nuint Compress(nint context, byte* destination, nuint capacity, byte* source, nuint length, int level);

    [LibraryImport(Library, EntryPoint = "ZSTD_createDCtx")]
    internal static partial nint CreateDecompressor();

    [LibraryImport(Library, EntryPoint = "ZSTD_freeDCtx")]
    internal static partial nuint FreeDecompressor(nint context);

    [LibraryImport(Library, EntryPoint = "ZSTD_decompressDCtx")]
    internal static unsafe partial nuint Decompress(nint context, byte* destination, nuint capacity, byte* source, nuint length);

    [LibraryImport(Library, EntryPoint = "ZSTD_findFrameCompressedSize")]
    internal static unsafe partial nuint FrameLength(byte* source, nuint length);

    [LibraryImport(Library, EntryPoint = "ZSTD_getFrameContentSize")]
    internal static unsafe partial ulong ContentSize(byte* source, nuint length);

    [LibraryImport(Library, EntryPoint = "ZSTD_compressBound")]
    internal static partial nuint CompressBound(nuint length);

    [LibraryImport(Library, EntryPoint = "ZSTD_isError")]
    internal static partial uint IsError(nuint code);

    [LibraryImport(Library, EntryPoint = "ZSTD_getErrorName")]
    internal static partial nint ErrorName(nuint code);
}
