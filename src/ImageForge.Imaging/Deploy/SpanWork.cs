using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Manifests;

namespace ImageForge.Imaging.Deploy;

/// <summary>A span on its way to the disk.</summary>
/// <param name="plain">Null if it holds only zeros and is not compared.</param>
internal sealed class SpanWork(ChunkSpan span, AlignedBuffer? plain)
{
    private int _open;

    public ChunkSpan Span { get; } = span;

    public AlignedBuffer? Plain { get; } = plain;

    /// <summary>Which chunks are right on the disk; null: nobody has looked, or none.</summary>
    public bool[]? Kept { get; set; }

    /// <summary>Done once <see cref="Plain"/> holds the verified content of every chunk that is not kept.</summary>
    public TaskCompletionSource Ready { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public bool Keeps(int index) => Kept is not null && Kept[index];

    /// <summary>Lists the chunks to fetch; with none the span is ready.</summary>
    public List<WantedChunk> Want()
    {
        var wanted = new List<WantedChunk>();
        for (var i = 0; i < Span.Chunks.Count; i++)
            if (Span.Chunks[i].Kind == ChunkKind.Data && !Keeps(i))
                wanted.Add(new WantedChunk(this, i));
        _open = wanted.Count;
        if (_open == 0)
            Ready.SetResult();
        return wanted;
    }

    public void Opened()
    {
        if (Interlocked.Decrement(ref _open) == 0)
            Ready.SetResult();
    }
}

/// <summary>A chunk to fetch into its place in a span's buffer.</summary>
internal sealed class WantedChunk(SpanWork work, int index)
{
    public SpanWork Work { get; } = work;

    public ManifestChunk Chunk => Work.Span.Chunks[index];

    public AlignedBuffer? Frame { get; set; }

    public int FrameLength { get; set; }

    public Span<byte> Place => Work.Plain!.Span.Slice(Work.Span.At(index), Chunk.Length);
}
