using ImageForge.Imaging.Disks;

namespace ImageForge.Imaging.Tests.Fuzzing;

/// <summary>A read-only disk over an array that the test goes on changing.</summary>
internal sealed class ArrayDisk(byte[] bytes, int sectorSize = 512) : IBlockDevice
{
    public string Name => "fuzzed";
    public long SizeBytes { get; set; } = bytes.Length;
    public int SectorSize => sectorSize;
    public bool IsReadOnly => true;

    public void Read(long offset, Span<byte> buffer)
    {
        if (offset < 0 || offset % sectorSize != 0 || buffer.Length % sectorSize != 0 || offset > SizeBytes - buffer.Length)
            throw new InvalidOperationException($"a parser asked for {buffer.Length} bytes at {offset} of a disk of {SizeBytes}");
        bytes.AsSpan((int)offset, buffer.Length).CopyTo(buffer);
    }

    public void Write(long offset, ReadOnlySpan<byte> data) => throw new InvalidOperationException("a parser wrote");
    public void WriteZeros(long offset, long length) => throw new InvalidOperationException("a parser wrote");
    public void Flush() => throw new InvalidOperationException("a parser wrote");
    public void Dispose() { }
}
