using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Manifests;

namespace ImageForge.Imaging.Deploy.Arrivals;

/// <summary>Where a span lies, ordered as on the disks.</summary>
internal readonly record struct SpanKey(int Disk, int Volume, int Number) : IComparable<SpanKey>
{
    public int CompareTo(SpanKey other) => (Disk, Volume, Number).CompareTo((other.Disk, other.Volume, other.Number));
}

/// <summary>A span whose chunks arrive one by one. All but the bytes of <see cref="Plain"/> is under the lock of the <see cref="SpanAssembly"/>.</summary>
internal sealed class OpenSpan
{
    public OpenSpan(SpanKey key, ChunkSpan span, AlignedBuffer plain)
    {
        (Key, Span, Plain) = (key, span, plain);
        Missing = [.. span.Chunks.Select(c => c.Kind == ChunkKind.Data)];
        MissingCount = Missing.Count(m => m);
    }

    public SpanKey Key { get; }

    public ChunkSpan Span { get; }

    public AlignedBuffer Plain { get; }

    /// <summary>Chunks whose content is not in <see cref="Plain"/>; zero chunks need none.</summary>
    public bool[] Missing { get; }

    public int MissingCount { get; set; }

    /// <summary>Threads that are filling a place of it right now.</summary>
    public int Holders { get; set; }

    /// <summary>Bytes of chunks that arrived.</summary>
    public long ArrivedBytes { get; set; }

    public bool HasArrivals => ArrivedBytes > 0;

    /// <returns>-1: the chunk is done or on its way already.</returns>
    public int IndexOf(int chunk)
    {
        for (var i = 0; i < Span.Chunks.Count; i++)
            if (Span.Chunks[i].Index == chunk)
                return i;
        return -1;
    }

    public Span<byte> Place(int index) => Plain.Span.Slice(Span.At(index), Span.Chunks[index].Length);
}
