using System.Buffers.Binary;
using ImageForge.Imaging.Disks;

namespace ImageForge.Imaging.FileSystems;

/// <summary>The volume contradicts itself. Never leaves <see cref="VolumeProbe"/>: it becomes a note.</summary>
/// <param name="message">The end of a sentence: "… points outside the volume".</param>
internal sealed class DamagedVolumeException(string message) : Exception(message);

/// <summary>Bytes of a volume at any offset, read from the disk in whole sectors through one aligned buffer.</summary>
internal sealed class VolumeReader : IDisposable
{
    /// <summary>Small reads fetch this much: an ext4 with flex_bg keeps 16 bitmaps in a row, an MFT its records.</summary>
    private const int ReadAhead = 64 << 10;

    private readonly IBlockDevice _disk;
    private readonly CancellationToken _cancel;
    private readonly long _start;
    private readonly AlignedBuffer _buffer;
    private long _from, _to;

    /// <summary>Where something could not be read: here only what is asked for is.</summary>
    private long _badFrom, _badTo;

    public VolumeReader(IBlockDevice disk, long start, long length, CancellationToken cancel)
    {
        (_disk, _start, Length, _cancel) = (disk, start, length, cancel);
        _buffer = AlignedBuffer.Rent(ReadAhead);
    }

    /// <summary>Bytes of the volume.</summary>
    public long Length { get; }

    public int SectorSize => _disk.SectorSize;

    /// <summary>What the volume lies on.</summary>
    public IBlockDevice Disk => _disk;

    public CancellationToken Cancel => _cancel;

    /// <exception cref="DamagedVolumeException">The range is not inside the volume.</exception>
    public void Read(long offset, Span<byte> destination)
    {
        if (offset < 0 || offset > Length - destination.Length)
            throw new DamagedVolumeException("something points outside the volume");
        while (destination.Length > 0)
        {
            if (offset < _from || offset >= _to)
                Fill(offset);
            var count = (int)Math.Min(_to - offset, destination.Length);
            _buffer.Span.Slice((int)(offset - _from), count).CopyTo(destination);
            destination = destination[count..];
            offset += count;
        }
    }

    public byte[] Read(long offset, int count)
    {
        var bytes = new byte[count];
        Read(offset, bytes);
        return bytes;
    }

    /// <summary>Whether the volume is long enough and carries these bytes there.</summary>
    public bool Has(long offset, ReadOnlySpan<byte> bytes)
    {
        if (offset > Length - bytes.Length)
            return false;
        Span<byte> there = stackalloc byte[bytes.Length];
        Read(offset, there);
        return there.SequenceEqual(bytes);
    }

    /// <summary>As <see cref="Has"/>, for places that may be free: a bad sector there must not end a capture that does not need it.</summary>
    public bool HasReadable(long offset, ReadOnlySpan<byte> bytes)
    {
        try
        {
            return Has(offset, bytes);
        }
        catch (DiskException e) when (e.Trouble == DiskTrouble.MediumError)
        {
            return false;
        }
    }

    public void Dispose() => _buffer.Dispose();

    private void Fill(long offset)
    {
        _cancel.ThrowIfCancellationRequested();
        _to = _from = 0;
        var from = offset - offset % SectorSize;
        var count = (int)Math.Min(_buffer.Length, Length - from);
        if (from >= _badFrom && from < _badTo)
            count = SectorSize;
        try
        {
            _disk.Read(_start + from, _buffer.Span[..count]);
        }
        catch (DiskException e) when (e.Trouble == DiskTrouble.MediumError && count > SectorSize)
        {
            // It may be a sector further on that nobody asked for.
            (_badFrom, _badTo) = (from, from + count);
            count = SectorSize;
            _disk.Read(_start + from, _buffer.Span[..count]);
        }
        (_from, _to) = (from, from + count);
    }
}

/// <summary>Little-endian fields of on-disk structures.</summary>
internal static class LittleEndian
{
    public static ushort U16(this ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);
    public static uint U32(this ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);
    public static ulong U64(this ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt64LittleEndian(bytes[at..]);
    public static ushort U16(this byte[] bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(at));
    public static uint U32(this byte[] bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at));
    public static ulong U64(this byte[] bytes, int at) => BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(at));
}
