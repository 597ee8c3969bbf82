using ImageForge.Imaging.DiskFiles;
using ImageForge.Imaging.Disks;

namespace ImageForge.Imaging.Imports;

/// <summary>A stream of unknown length as a sparse file without a name (see <see cref="TemporaryDisk"/>).</summary>
internal static class UnpackedFile
{
    private const int Piece = 1 << 20;

    /// <summary>1 PiB: a few bytes of compressed zeros claim any size.</summary>
    private const long MaxBytes = 1L << 50;

    public static ImageFileDevice Write(Stream stream, string folder, int? sectorSize, Action progress, CancellationToken cancel)
    {
        var path = Path.Combine(folder, $"{LocalStore.LocalStoreWriter.TemporaryPrefix}{Guid.CreateVersion7():N}");
        try
        {
            using (var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read))
            {
                var buffer = new byte[Piece];
                long length = 0;
                while (stream.ReadAtLeast(buffer, Piece, throwOnEndOfStream: false) is var count and > 0)
                {
                    cancel.ThrowIfCancellationRequested();
                    if (buffer.AsSpan(0, count).ContainsAnyExcept((byte)0))
                        RandomAccess.Write(file, buffer.AsSpan(0, count), length);
                    length += count;
                    if (length > MaxBytes)
                        throw ImportFailures.Damaged("The file", "it never comes to an end");
                    progress();
                }
                RandomAccess.SetLength(file, (length + 511) / 512 * 512);
            }
            return ImageFileDevice.OpenForReading(path, sectorSize ?? DiskFile.GuessSectorSize(path));
        }
        finally
        {
            File.Delete(path);
        }
    }
}
