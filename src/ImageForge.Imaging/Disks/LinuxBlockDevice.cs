namespace ImageForge.Imaging.Disks;

/// <summary>A Linux block device, opened with <c>O_DIRECT</c>: buffers must come from <see cref="AlignedBuffer"/>.</summary>
public sealed class LinuxBlockDevice : IBlockDevice
{
    private LinuxBlockDevice(string path, long size, int sectorSize, bool readOnly) =>
        (Name, SizeBytes, SectorSize, IsReadOnly) = (path, size, sectorSize, readOnly);

    public string Name { get; }
    public long SizeBytes { get; }
    public int SectorSize { get; }
    public bool IsReadOnly { get; }

    /// <summary>Opens with O_RDONLY: the kernel itself refuses a write through this descriptor.</summary>
    /// <exception cref="DiskException">It cannot be opened.</exception>
    public static LinuxBlockDevice OpenForReading(string path) => throw new NotImplementedException(path);

    /// <summary>Opens with O_RDWR|O_EXCL: refused (<see cref="DiskTrouble.Busy"/>) while anything on the disk is mounted.</summary>
    /// <exception cref="DiskException">It cannot be opened, is in use or write-protected.</exception>
    public static LinuxBlockDevice OpenForWriting(string path) => throw new NotImplementedException(path);

    public void Read(long offset, Span<byte> buffer) => throw new NotImplementedException(Name);
    public void Write(long offset, ReadOnlySpan<byte> data) => throw new NotImplementedException(Name);
    public void WriteZeros(long offset, long length) => throw new NotImplementedException(Name);
    public void Flush() => throw new NotImplementedException(Name);

    /// <summary>Asks the kernel to read the partition table again (BLKRRPART); tries for <paramref name="patience"/> while it says busy.</summary>
    public ValueTask<PartitionRescan> RescanPartitionsAsync(TimeSpan patience, TimeProvider time, CancellationToken cancel) => throw new NotImplementedException($"{Name}{patience}{time}{cancel}");

    public void Dispose() { }
}

public enum PartitionRescan
{
    Done,

    /// <summary>Something still holds a partition: the new table is seen after the next boot.</summary>
    StillBusy,

    /// <summary>This device has no partitions (a loop device without <c>-P</c>).</summary>
    NotSupported,
}
