namespace ImageForge.Imaging.Tests.Nbd;

/// <summary>A connection whose other side says what it was told to say, whatever it is asked.</summary>
internal sealed class ScriptedNbd(byte[] answers) : Stream
{
    private int _said;

    public MemoryStream Asked { get; } = new();

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => true;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override int Read(byte[] buffer, int offset, int count)
    {
        count = Math.Min(count, answers.Length - _said);
        answers.AsSpan(_said, count).CopyTo(buffer.AsSpan(offset));
        _said += count;
        return count;
    }

    public override void Write(byte[] buffer, int offset, int count) => Asked.Write(buffer, offset, count);
    public override void Flush() { }
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
}
