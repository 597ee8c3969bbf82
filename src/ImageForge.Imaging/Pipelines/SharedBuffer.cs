using ImageForge.Imaging.Disks;

namespace ImageForge.Imaging.Pipelines;

/// <summary>A buffer that holds several chunks, as they lie side by side on the disk; it returns to its pool when the last one is done.</summary>
internal sealed class SharedBuffer(BufferPool pool, AlignedBuffer buffer)
{
    private int _holders = 1;

    public Memory<byte> Memory => buffer.Memory;

    public Span<byte> Span => buffer.Span;

    public void Hold() => Interlocked.Increment(ref _holders);

    public void Release()
    {
        if (Interlocked.Decrement(ref _holders) == 0)
            pool.Return(buffer);
    }
}
