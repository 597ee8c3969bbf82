namespace ImageForge.NetBoot.Tftp;

/// <summary>
/// Reads a file in larger pieces than blocks, so that one read call serves some fifty ACKs. Holds at least one window,
/// because a lost block sends the whole window again.
/// </summary>
internal sealed class ReadAhead(TftpContent content, int window)
{
    private const int Piece = 64 * 1024;

    private byte[] _buffer = [];
    private long _start;
    private int _count;

    /// <summary>False when the file ends or fails before <paramref name="destination"/> is full.</summary>
    public bool TryRead(long offset, Span<byte> destination)
    {
        if (offset < _start || offset + destination.Length > _start + _count)
        {
            if (_buffer.Length == 0)
                _buffer = GC.AllocateUninitializedArray<byte>((int)Math.Min(Math.Max(Piece, 2L * window), Math.Max(content.Length, 1)));
            try
            {
                (_start, _count) = (offset, content.Read(offset, _buffer));
            }
            catch (IOException)
            {
                _count = 0;
            }
            if (_count < destination.Length)
                return false;
        }
        _buffer.AsSpan((int)(offset - _start), destination.Length).CopyTo(destination);
        return true;
    }
}
