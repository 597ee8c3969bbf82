namespace ImageForge.Imaging.Imports.Streams;

/// <summary>The pieces of one stream that <c>split</c> cut, read one after the other. Forward only.</summary>
internal sealed class SplitFile : ForwardStream
{
    private readonly Queue<string> _left;
    private FileStream? _current;

    public SplitFile(IReadOnlyList<string> files)
    {
        _left = new Queue<string>(files);
        TotalBytes = files.Sum(file => new FileInfo(file).Length);
    }

    /// <summary>Of all pieces: with <see cref="Position"/> it tells how far an import is.</summary>
    public long TotalBytes { get; }

    /// <summary>Bytes read so far.</summary>
    public override long Position { get => Interlocked.Read(ref _position); set => throw new NotSupportedException(); }

    private long _position;

    public override int Read(Span<byte> buffer)
    {
        if (buffer.IsEmpty)
            return 0;
        while (true)
        {
            if (_current is null)
            {
                if (!_left.TryDequeue(out var next))
                    return 0;
                _current = new FileStream(next, FileMode.Open, FileAccess.Read, FileShare.Read, 0, FileOptions.SequentialScan);
            }
            var read = _current.Read(buffer);
            if (read > 0)
            {
                Interlocked.Add(ref _position, read);
                return read;
            }
            _current.Dispose();
            _current = null;
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _current?.Dispose();
        base.Dispose(disposing);
    }
}
