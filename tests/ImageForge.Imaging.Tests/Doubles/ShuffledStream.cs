using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Deploy.Arrivals;

namespace ImageForge.Imaging.Tests.Doubles;

/// <summary>A stream that brings every chunk it is asked for in an order of its own, some twice, and as wrong as it is told to.</summary>
internal sealed class ShuffledStream(MemoryChunkStore store, Random random) : IChunkArrivals
{
    /// <summary>Frames after which it stops; what is lacking then is left to others.</summary>
    public int StopAfter { get; init; } = int.MaxValue;

    /// <summary>How far from its place in the order a frame may come; 0: in order.</summary>
    public int Disorder { get; init; } = int.MaxValue;

    /// <summary>Share of frames that come again, also such as nobody asked for.</summary>
    public double Again { get; init; }

    /// <summary>Replaces a frame: chunk number and frame; null: it never comes.</summary>
    public Func<int, byte[], byte[]?> Change { get; init; } = (_, frame) => frame;

    /// <summary>Chunks lacking when it began.</summary>
    public int Asked { get; private set; }

    public int Given { get; private set; }

    public List<int> Refused { get; } = [];

    public ArrivingChunks? Chunks { get; private set; }

    public async Task RunAsync(ArrivingChunks chunks, CancellationToken cancel)
    {
        Chunks = chunks;
        Asked = chunks.LackingCount;
        var order = chunks.LackingRuns().SelectMany(r => Enumerable.Range(r.First, r.Length))
            .Select((n, i) => (Number: n, At: Disorder == int.MaxValue ? random.NextDouble() : i + (Disorder * random.NextDouble()))).OrderBy(n => n.At).Select(n => n.Number).ToList();
        Assert.Equal(Asked, order.Count);
        foreach (var number in order)
        {
            if (Given == StopAfter)
                break;
            Given++;
            await GiveAsync(chunks, number, cancel);
            while (random.NextDouble() < Again)
                await GiveAsync(chunks, random.Next(chunks.Numbers.Count), cancel);
        }
        Refused.AddRange(chunks.Refused());
    }

    private async Task GiveAsync(ArrivingChunks chunks, int number, CancellationToken cancel)
    {
        if (Change(number, store.Frames[chunks.Numbers[number]]) is { } frame)
            await chunks.TakeAsync(number, frame, cancel);
    }
}

/// <summary>A source that must not be asked.</summary>
internal sealed class NoSource : IChunkSource
{
    public ValueTask<int> ReadFrameAsync(ChunkId id, Memory<byte> frame, CancellationToken cancel) => throw new InvalidOperationException($"{id} was fetched");
}
