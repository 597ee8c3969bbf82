using ImageForge.Imaging.Disks;

namespace ImageForge.Imaging.Tests.Doubles;

/// <summary>Any write is a failed test.</summary>
internal sealed class ReadOnlyDisk(IBlockDevice inner) : IBlockDevice
{
    public string Name => inner.Name;
    public long SizeBytes => inner.SizeBytes;
    public int SectorSize => inner.SectorSize;
    public bool IsReadOnly => true;

    public void Read(long offset, Span<byte> buffer) => inner.Read(offset, buffer);

    public void Write(long offset, ReadOnlySpan<byte> data) => Assert.Fail($"a write at {offset}");

    public void WriteZeros(long offset, long length) => Assert.Fail($"zeros at {offset}");

    public void Flush() => Assert.Fail("a flush");

    public void Dispose() { }
}
