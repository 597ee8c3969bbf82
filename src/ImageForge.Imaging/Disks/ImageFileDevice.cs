namespace ImageForge.Imaging.Disks;

/// <summary>A regular file used as a disk. Zeros become holes.</summary>
public sealed class ImageFileDevice : IBlockDevice
{
    private ImageFileDevice(string path, long size, int sectorSize, bool readOnly) =>
        (Name, SizeBytes, SectorSize, IsReadOnly) = (path, size, sectorSize, readOnly);

    public string Name { get; }
    public long SizeBytes { get; }
    public int SectorSize { get; }
    public bool IsReadOnly { get; }

    /// <summary>Makes a new sparse file of that many zeros; an existing one is an error.</summary>
    public static ImageFileDevice Create(string path, long sizeBytes, int sectorSize = 512) => throw new NotImplementedException($"{path}{sizeBytes}{sectorSize}");

    public static ImageFileDevice OpenForReading(string path, int sectorSize = 512) => throw new NotImplementedException($"{path}{sectorSize}");

    public static ImageFileDevice OpenForWriting(string path, int sectorSize = 512) => throw new NotImplementedException($"{path}{sectorSize}");

    public void Read(long offset, Span<byte> buffer) => throw new NotImplementedException(Name);
    public void Write(long offset, ReadOnlySpan<byte> data) => throw new NotImplementedException(Name);
    public void WriteZeros(long offset, long length) => throw new NotImplementedException(Name);
    public void Flush() => throw new NotImplementedException(Name);
    public void Dispose() { }
}
