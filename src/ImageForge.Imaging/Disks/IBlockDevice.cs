namespace ImageForge.Imaging.Disks;

/// <summary>
/// A disk as bytes at offsets. Offsets, lengths and buffer sizes are multiples of <see cref="SectorSize"/>;
/// implementations over <c>O_DIRECT</c> also need buffers from <see cref="AlignedBuffer"/>.
/// I/O errors are thrown as <see cref="DiskException"/>. Methods may be called from several threads at once.
/// </summary>
public interface IBlockDevice : IDisposable
{
    /// <summary>Name for people and logs, for example <c>/dev/sda</c>.</summary>
    string Name { get; }

    long SizeBytes { get; }

    /// <summary>Logical sector size in bytes: 512 or 4096.</summary>
    int SectorSize { get; }

    bool IsReadOnly { get; }

    /// <summary>Fills the whole buffer.</summary>
    void Read(long offset, Span<byte> buffer);

    void Write(long offset, ReadOnlySpan<byte> data);

    /// <summary>Writes zeros (never relies on discard): BLKZEROOUT where there is one, else plain writes.</summary>
    void WriteZeros(long offset, long length);

    /// <summary>Returns once everything written is durable.</summary>
    void Flush();
}
