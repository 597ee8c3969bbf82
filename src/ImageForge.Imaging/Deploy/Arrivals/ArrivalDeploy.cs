using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Pipelines;

namespace ImageForge.Imaging.Deploy.Arrivals;

/// <summary>
/// Writes what a stream brings, on all disks of an image at once: frames in any order → decompress and verify, several at once → beside
/// their neighbours → written. What did not come is left for the ordinary pipeline, which goes by the same <see cref="DeployState"/>.
/// </summary>
internal sealed class ArrivalDeploy(ChunkStream stream, IReadOnlyList<ArrivalTarget> targets)
{
    /// <summary>Bytes of spans that are being put together or written.</summary>
    private const int PlainBudget = 16 << 20;

    /// <summary>From this chunk size on one thread fills places: each more would need another buffer of that size.</summary>
    private const int LargeChunk = 8 << 20;

    public async Task RunAsync(CancellationToken cancel)
    {
        var places = new ArrivalPlaces(stream.Numbers, targets);
        var bufferBytes = targets.Max(t => ChunkSpan.BufferLength(t.Manifest));
        var workers = bufferBytes >= LargeChunk ? 1 : Math.Clamp(Environment.ProcessorCount, 1, 4);
        using var stages = new StageGroup(cancel);
        using var assembly = new SpanAssembly(targets, bufferBytes, BufferPool.CountFor(PlainBudget, bufferBytes, workers + 1));
        var (times, writers) = (targets[0].Progress.Times(targets[0].Remote), targets[0].WritesInFlight);
        var chunks = new ArrivingChunks(stream.Numbers, places, assembly, targets[0].Progress, times, stages.Token);
        if (chunks.LackingCount == 0)
            return;
        times.SetWorkers(writers, workers, workers);
        using var wake = stages.Token.UnsafeRegister(static c => ((ArrivingChunks)c!).Wake(), chunks);
        stages.Tasks(1, () => stream.Arrivals.RunAsync(chunks, stages.Token), chunks.Frames.CompleteAdding);
        stages.Threads("arrival open", workers, () => Open(chunks, times, stages.Token), assembly.End);
        stages.Threads("arrival write", writers, () => Write(assembly, times, stages.Token), () => { });
        await stages.CompleteAsync();
    }

    private static void Open(ArrivingChunks chunks, StageTimes times, CancellationToken cancel)
    {
        using var zstd = new ZstdDecompressor();
        var started = times.Now;
        foreach (var frame in chunks.Frames.GetConsumingEnumerable(cancel))
        {
            // A thread that has nothing to do waits for the stream.
            started = times.Add(StageTimes.Stage.Transfer, started);
            chunks.Place(zstd, frame, cancel);
            started = times.Now;
        }
    }

    private void Write(SpanAssembly assembly, StageTimes times, CancellationToken cancel)
    {
        while (assembly.NextToWrite(cancel) is { } span)
        {
            targets[span.Key.Disk].Write(span, times, cancel);
            assembly.Written(span);
        }
    }
}
