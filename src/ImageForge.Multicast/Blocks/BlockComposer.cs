using ImageForge.Multicast.Frames;

namespace ImageForge.Multicast.Blocks;

/// <summary>Makes blocks of about 1 MiB out of stored frames, in the order in which chunks are named. Used by one thread at a time.</summary>
public sealed class BlockComposer(SessionContent content, IFrameSource source, int fragmentBytes, BlockBuffers buffers)
{
    /// <summary>A block is closed when the next frame would take it above this; only a single frame may be longer.</summary>
    public const int WantedBytes = 1 << 20;

    /// <summary>Frames of a block at most: chunks that compress to nothing must not make a block of a thousand writes.</summary>
    public const int MostFrames = 256;

    /// <summary>Room that is kept for the largest table; the table is written close to the first frame once its size is known.</summary>
    private static readonly int s_head = BlockTable.Size(MostFrames);

    private readonly List<BlockFrame> _frames = [];

    /// <summary>A frame that was read and did not fit into the last block.</summary>
    private byte[] _carried = [];
    private BlockFrame? _carriedFrame;

    /// <summary>A chunk that was asked for when there was no buffer.</summary>
    private int? _pending;

    /// <summary>The last call gave nothing because no buffer was free; chunks are left, and blocks must be given back first.</summary>
    public bool Starved { get; private set; }

    /// <summary>The next block; null when <paramref name="next"/> names no more chunks, or when <see cref="Starved"/>.</summary>
    /// <param name="next">Names the next chunk to send; null: none is left. Each one named is in this block or in the next, or told absent.</param>
    /// <param name="absent">Told of a chunk whose frame cannot be had.</param>
    public async ValueTask<ComposedBlock?> ComposeAsync(uint number, Func<int?> next, Action<int> absent, CancellationToken cancel)
    {
        // The first frame decides the size: a large one is alone.
        _pending ??= _carriedFrame is null ? next() : null;
        if (_carriedFrame is null && _pending is null)
            return null;
        var room = s_head + Math.Max(WantedBytes, _carriedFrame?.Length ?? content.LongestFrame(_pending!.Value));
        var buffer = buffers.TryRent(room + fragmentBytes);
        Starved = buffer is null;
        if (buffer is null)
            return null;
        try
        {
            var end = await FillAsync(buffer, room, next, absent, cancel);
            if (_frames.Count > 0)
                return Finish(number, buffer, end);
        }
        catch
        {
            buffers.Return(buffer);
            throw;
        }
        // Every chunk that was named is absent.
        buffers.Return(buffer);
        return null;
    }

    /// <summary>Reads frames until the block has its size, and returns where they end.</summary>
    private async ValueTask<int> FillAsync(byte[] buffer, int room, Func<int?> next, Action<int> absent, CancellationToken cancel)
    {
        _frames.Clear();
        var at = s_head;
        if (_carriedFrame is { } carried)
        {
            _carried.AsSpan(0, carried.Length).CopyTo(buffer.AsSpan(at));
            at = Add(carried.Chunk, at, carried.Length);
            _carriedFrame = null;
        }
        while (_frames.Count < MostFrames && at - s_head < WantedBytes && (_pending ?? next()) is { } chunk)
        {
            // Given up by a cancelled read, it is asked for again.
            _pending = chunk;
            var longest = content.LongestFrame(chunk);
            // Where the largest could stand it is read into its place; else aside, because only its length tells whether it fits.
            var straight = at + longest <= room;
            if (!straight)
                GrowCarried(longest);
            var length = await source.ReadFrameAsync(chunk, straight ? buffer.AsMemory(at, longest) : _carried.AsMemory(0, longest), cancel);
            _pending = null;
            if (length is 0 || length > longest)
            {
                absent(chunk);
                continue;
            }
            if (_frames.Count > 0 && at - s_head + length > WantedBytes)
            {
                GrowCarried(length);
                if (straight)
                    buffer.AsSpan(at, length).CopyTo(_carried);
                _carriedFrame = new BlockFrame(chunk, 0, length);
                break;
            }
            if (!straight)
                _carried.AsSpan(0, length).CopyTo(buffer.AsSpan(at));
            at = Add(chunk, at, length);
        }
        return at;
    }

    private void GrowCarried(int length)
    {
        if (_carried.Length < length)
            _carried = GC.AllocateUninitializedArray<byte>(length);
    }

    private int Add(int chunk, int at, int length)
    {
        _frames.Add(new BlockFrame(chunk, at, length));
        return at + length;
    }

    private ComposedBlock Finish(uint number, byte[] buffer, int end)
    {
        var start = s_head - BlockTable.Size(_frames.Count);
        BlockTable.Write(buffer.AsSpan(start), _frames);
        var frames = _frames.Select(frame => frame with { Offset = frame.Offset - start }).ToArray();
        return new ComposedBlock(buffers, buffer, start, number, new BlockShape(end - start, fragmentBytes), frames);
    }
}
