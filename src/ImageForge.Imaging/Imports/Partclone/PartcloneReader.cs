using ImageForge.Imaging.Disks;

namespace ImageForge.Imaging.Imports.Partclone;

/// <summary>Puts the blocks of a partclone image where they belong, each strip verified before it is written. Forward only, in one pass.</summary>
internal sealed class PartcloneReader
{
    private readonly string _name;
    private readonly Stream _stream;
    private readonly IPartcloneBlocks _blocks;

    private PartcloneReader(string name, Stream stream, PartcloneHeader header)
    {
        (_name, _stream, Header) = (name, stream, header);
        _blocks = header.Version == 1 ? new BlocksOf0001(name, stream, header) : new BlocksOf0002(name, stream, header);
    }

    public PartcloneHeader Header { get; }

    /// <summary>Reads the header; nothing else of the stream.</summary>
    public static PartcloneReader Open(string name, Stream stream) => new(name, stream, PartcloneHeader.Read(name, stream));

    /// <param name="target">A disk full of zeros where the image has nothing.</param>
    /// <param name="offset">Of the volume on it.</param>
    /// <param name="length">Of the volume; a file system that needs more is refused before anything is written.</param>
    /// <param name="progress">Told the bytes written so far and in all.</param>
    /// <exception cref="Contracts.FailureException"><c>importDamaged</c>.</exception>
    public void Restore(IBlockDevice target, long offset, long length, Action<long, long> progress, CancellationToken cancel)
    {
        if (Header.ContentBytes > length)
            throw ImportFailures.Damaged(_name, $"its file system of {Header.ContentBytes} bytes is larger than its partition of {length}");
        var bitmap = PartcloneBitmap.Read(_name, Header, _stream);
        var total = bitmap.UsedBlocks * Header.BlockSize;
        var most = Math.Max(1, (1 << 20) / Header.BlockSize);
        using var buffer = AlignedBuffer.Rent(most * Header.BlockSize);
        long done = 0;
        for (var (first, count) = bitmap.Next(0, most); count > 0; (first, count) = bitmap.Next(first + count, most))
        {
            cancel.ThrowIfCancellationRequested();
            var data = buffer.Span[..(count * Header.BlockSize)];
            _blocks.Read(data);
            target.Write(offset + first * Header.BlockSize, data);
            progress(done += data.Length, total);
        }
        _blocks.End();
    }
}
