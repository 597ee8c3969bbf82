using System.Collections.Concurrent;

namespace ImageForge.Imaging.Disks;

/// <summary>A sparse disk in memory, for tests and dry runs: only pages that were written take room.</summary>
public sealed class MemoryDisk : IBlockDevice
{
    private const int PageSize = 64 << 10;

    private readonly ConcurrentDictionary<long, byte[]> _pages = new();

    public MemoryDisk(long sizeBytes, int sectorSize = 512, bool readOnly = false, string name = "memory")
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sizeBytes);
        if (sizeBytes % sectorSize != 0)
            throw new ArgumentException($"{sizeBytes} bytes are not whole sectors of {sectorSize}", nameof(sizeBytes));
        (SizeBytes, SectorSize, IsReadOnly, Name) = (sizeBytes, sectorSize, readOnly, name);
    }

    public static MemoryDisk Of(ReadOnlySpan<byte> content, int sectorSize = 512, bool readOnly = false)
    {
        var disk = new MemoryDisk((content.Length + sectorSize - 1L) / sectorSize * sectorSize, sectorSize, readOnly);
        disk.Store(0, content);
        return disk;
    }

    public string Name { get; }
    public long SizeBytes { get; }
    public int SectorSize { get; }
    public bool IsReadOnly { get; }

    public void Read(long offset, Span<byte> buffer)
    {
        DiskRange.Check(this, "read", offset, buffer.Length);
        while (buffer.Length > 0)
        {
            var inPage = (int)(offset % PageSize);
            var count = Math.Min(PageSize - inPage, buffer.Length);
            if (_pages.TryGetValue(offset / PageSize, out var page))
                page.AsSpan(inPage, count).CopyTo(buffer);
            else
                buffer[..count].Clear();
            buffer = buffer[count..];
            offset += count;
        }
    }

    public void Write(long offset, ReadOnlySpan<byte> data)
    {
        DiskRange.CheckWrite(this, "write", offset, data.Length);
        Store(offset, data);
    }

    public void WriteZeros(long offset, long length)
    {
        DiskRange.CheckWrite(this, "write", offset, length);
        for (var end = offset + length; offset < end;)
        {
            var inPage = (int)(offset % PageSize);
            var count = (int)Math.Min(PageSize - inPage, end - offset);
            if (count == PageSize)
                _pages.TryRemove(offset / PageSize, out _);
            else if (_pages.TryGetValue(offset / PageSize, out var page))
                page.AsSpan(inPage, count).Clear();
            offset += count;
        }
    }

    public void Flush() { }

    public void Dispose() { }

    private void Store(long offset, ReadOnlySpan<byte> data)
    {
        while (data.Length > 0)
        {
            var inPage = (int)(offset % PageSize);
            var count = Math.Min(PageSize - inPage, data.Length);
            data[..count].CopyTo(_pages.GetOrAdd(offset / PageSize, static _ => new byte[PageSize]).AsSpan(inPage));
            data = data[count..];
            offset += count;
        }
    }
}
