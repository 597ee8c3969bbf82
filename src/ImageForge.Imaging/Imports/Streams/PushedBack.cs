namespace ImageForge.Imaging.Imports.Streams;

/// <summary>A stream with some bytes put back in front of it. Forward only.</summary>
internal sealed class PushedBack(byte[] head, Stream rest) : ForwardStream
{
    private int _given;

    public override int Read(Span<byte> buffer)
    {
        if (_given == head.Length)
            return rest.Read(buffer);
        var count = Math.Min(buffer.Length, head.Length - _given);
        head.AsSpan(_given, count).CopyTo(buffer);
        _given += count;
        return count;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            rest.Dispose();
        base.Dispose(disposing);
    }
}
