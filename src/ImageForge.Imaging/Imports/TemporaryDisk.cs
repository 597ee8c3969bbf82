using ImageForge.Imaging.Disks;

namespace ImageForge.Imaging.Imports;

/// <summary>
/// A sparse file that has no name any more: it takes the room of its content while an import runs, and the kernel takes it back however
/// the program ends. Written first, then read through a descriptor that cannot write.
/// </summary>
internal sealed class TemporaryDisk : IDisposable
{
    private TemporaryDisk(ImageFileDevice writable, ImageFileDevice readable) => (Writable, Readable) = (writable, readable);

    public ImageFileDevice Writable { get; }

    public ImageFileDevice Readable { get; }

    /// <param name="folder">Where there is room.</param>
    public static TemporaryDisk Create(string folder, long sizeBytes, int sectorSize)
    {
        var path = Path.Combine(folder, $"{LocalStore.LocalStoreWriter.TemporaryPrefix}{Guid.CreateVersion7():N}");
        var writable = ImageFileDevice.Create(path, sizeBytes, sectorSize);
        try
        {
            return new TemporaryDisk(writable, ImageFileDevice.OpenForReading(path, sectorSize));
        }
        catch
        {
            writable.Dispose();
            throw;
        }
        finally
        {
            File.Delete(path);
        }
    }

    public void Dispose()
    {
        Writable.Dispose();
        Readable.Dispose();
    }
}
