using ImageForge.Multicast.Parity;

namespace ImageForge.Multicast.Blocks;

/// <summary>A block at the sender: its fragments as they are, its parity rows made when they are asked for. Used by one thread at a time.</summary>
public sealed class ComposedBlock : IDisposable
{
    private readonly BlockBuffers _buffers;
    private readonly int _start;
    private byte[]? _buffer;

    /// <param name="start">Where the block begins in the buffer, which reaches to the end of its last fragment.</param>
    internal ComposedBlock(BlockBuffers buffers, byte[] buffer, int start, uint number, BlockShape shape, IReadOnlyList<BlockFrame> frames)
    {
        (_buffers, _buffer, _start) = (buffers, buffer, start);
        (Number, Shape, Frames) = (number, shape, frames);
        buffer.AsSpan(start + shape.Length, (shape.Fragments * shape.FragmentBytes) - shape.Length).Clear();
    }

    /// <summary>Given anew when the block is queued: an epoch may have begun since it was asked for.</summary>
    public uint Number { get; internal set; }

    public BlockShape Shape { get; }

    public IReadOnlyList<BlockFrame> Frames { get; }

    private Span<byte> Padded => _buffer.AsSpan(_start, Shape.Fragments * Shape.FragmentBytes);

    /// <summary>Writes a fragment, by its number in the block.</summary>
    public void WriteFragment(int fragment, Span<byte> content) =>
        Padded.Slice(fragment * Shape.FragmentBytes, Shape.FragmentBytes).CopyTo(content);

    /// <summary>Makes a parity row of a group, 0 to <see cref="BlockShape.MaxRows"/> − 1.</summary>
    public void WriteRow(int group, int row, Span<byte> content) => CauchyCode.EncodeRow(Padded, Shape, group, row, content);

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _buffer, null) is { } buffer)
            _buffers.Return(buffer);
    }
}
