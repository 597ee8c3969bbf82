using ImageForge.Imaging.Disks;

namespace ImageForge.Imaging.FileSystems;

/// <summary>A linear logical volume as a disk that can only be read, piece by piece from the physical volume it lies on.</summary>
/// <param name="start">First byte of extent 0 on the physical volume.</param>
internal sealed class LvmVolumeView(VolumeReader physical, LvmLogical lv, long extentBytes, long start) : IBlockDevice
{
    public string Name => lv.Name;
    public long SizeBytes { get; } = lv.Extents * extentBytes;
    public int SectorSize => physical.SectorSize;
    public bool IsReadOnly => true;

    /// <summary>Where bytes of the logical volume lie on the physical one; cut at its end.</summary>
    public IEnumerable<(long Offset, long Length)> Places(long offset, long length)
    {
        var end = Math.Min(offset + length, SizeBytes);
        // Segments are few: a linear volume has one, and one more for each time it was enlarged.
        foreach (var segment in lv.Segments)
        {
            var (first, last) = (Math.Max(offset, segment.Start * extentBytes), Math.Min(end, (segment.Start + segment.Count) * extentBytes));
            if (first < last)
                yield return (start + (segment.First - segment.Start) * extentBytes + first, last - first);
        }
    }

    public void Read(long offset, Span<byte> buffer)
    {
        DiskRange.Check(this, "read", offset, buffer.Length);
        foreach (var (place, length) in Places(offset, buffer.Length))
        {
            physical.Read(place, buffer[..(int)length]);
            buffer = buffer[(int)length..];
        }
    }

    public void Write(long offset, ReadOnlySpan<byte> data) => DiskRange.CheckWrite(this, "write", offset, data.Length);
    public void WriteZeros(long offset, long length) => DiskRange.CheckWrite(this, "write", offset, length);
    public void Flush() { }
    public void Dispose() { }
}
