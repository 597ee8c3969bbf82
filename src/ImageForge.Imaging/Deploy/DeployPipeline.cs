using System.Collections.Concurrent;
using System.Threading.Channels;
using ImageForge.Contracts;
using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Manifests;
using ImageForge.Imaging.Pipelines;

namespace ImageForge.Imaging.Deploy;

/// <summary>
/// walk → compare, several reads at once → fetch, several at once → decompress and verify → write, begun in disk order. The walker
/// rents a span's buffer before it queues it, so the oldest span always has one: the writers, which keep the order, cannot starve.
/// </summary>
/// <param name="compared">The disk was surveyed: what is done is known, nothing is compared again.</param>
internal sealed class DeployPipeline(
    IBlockDevice target, IChunkSource source, WritePlan plan, DeployOptions options, DeployState state, TargetWriter writer, DeployProgress progress, bool compared) : IDisposable
{
    private const int PlainBudget = 24 << 20, FrameBudget = 10 << 20, QueuedSpans = 1024;

    private readonly int _chunkSize = plan.Manifest.Volumes.Select(v => v.Header.ChunkSize).DefaultIfEmpty(ChunkSizes.Smallest).Max();
    private readonly int _workers = Math.Clamp(Environment.ProcessorCount, 1, 4);
    private readonly StageTimes _times = progress.Times(source as IRemoteTimes);
    private readonly BlockingCollection<SpanWork> _inOrder = new(QueuedSpans), _toCompare = [];
    private readonly BlockingCollection<WantedChunk> _fetched = [];
    private readonly Channel<WantedChunk> _wanted = Channel.CreateUnbounded<WantedChunk>();

    public async Task RunAsync(CancellationToken cancel)
    {
        var spanBytes = ChunkSpan.BufferLength(plan.Manifest);
        using var plains = new BufferPool(spanBytes, BufferPool.CountFor(PlainBudget, spanBytes, 4));
        using var frames = new BufferPool(ChunkFrame.MaxLength(_chunkSize), BufferPool.CountFor(FrameBudget, _chunkSize, 2));
        using var stages = new StageGroup(cancel);
        var comparison = new SpanComparison(target, plan, options, progress, _times);
        _times.SetWorkers(Math.Max(options.WritesInFlight, 1), _workers, options.FetchesInFlight);
        stages.Threads("deploy walk", 1, () => Walk(comparison, plains, stages.Token), () =>
        {
            _toCompare.CompleteAdding();
            _inOrder.CompleteAdding();
        });
        stages.Threads("deploy compare", options.ReadsInFlight, () => Compare(comparison, stages.Token), () => _wanted.Writer.Complete());
        stages.Tasks(options.FetchesInFlight, () => FetchAsync(frames, stages.Token), _fetched.CompleteAdding);
        stages.Threads("deploy open", _workers, () => Open(frames, stages.Token), () => { });
        stages.Threads("deploy write", options.WritesInFlight, () => Write(plains, stages.Token), () => { });
        await stages.CompleteAsync();
    }

    public void Dispose()
    {
        _inOrder.Dispose();
        _toCompare.Dispose();
        _fetched.Dispose();
    }

    private void Walk(SpanComparison comparison, BufferPool plains, CancellationToken cancel)
    {
        var compares = compared ? new bool[plan.Manifest.Volumes.Count] : comparison.VolumesWorthIt(cancel);
        foreach (var span in ChunkSpan.Of(plan.Manifest, (v, chunk) => !state.IsDone(v, chunk.Index)))
        {
            var compare = compares[span.VolumeIndex] && comparison.WantsNext();
            var plain = compare || span.Chunks.Any(c => c.Kind == ChunkKind.Data) ? plains.Rent(cancel) : null;
            var work = new SpanWork(span, plain);
            _inOrder.Add(work, cancel);
            if (compare)
                _toCompare.Add(work, cancel);
            else
                Want(work);
        }
    }

    private void Compare(SpanComparison comparison, CancellationToken cancel)
    {
        foreach (var work in _toCompare.GetConsumingEnumerable(cancel))
        {
            work.Kept = comparison.Kept(work.Span, work.Plain!.Span);
            Want(work);
        }
    }

    private void Want(SpanWork work)
    {
        foreach (var wanted in work.Want())
            _wanted.Writer.TryWrite(wanted);
    }

    private async Task FetchAsync(BufferPool frames, CancellationToken cancel)
    {
        await foreach (var wanted in _wanted.Reader.ReadAllAsync(cancel))
        {
            wanted.Frame = await frames.RentAsync(cancel);
            var started = _times.Now;
            await FetchAsync(wanted, cancel);
            _times.Add(StageTimes.Stage.Transfer, started);
            _fetched.Add(wanted, cancel);
        }
    }

    private async Task FetchAsync(WantedChunk wanted, CancellationToken cancel)
    {
        try
        {
            var room = wanted.Frame!.Memory[..ChunkFrame.MaxLength(wanted.Chunk.Length)];
            wanted.FrameLength = await source.ReadFrameAsync(wanted.Chunk.Id, room, cancel);
            progress.AddFetched(wanted.FrameLength);
        }
        catch (FailureException e) when (e.Failure.Code == "chunkMissing")
        {
            throw DeployFailures.Missing(wanted.Work.Span.Volume.Header, wanted.Chunk, e);
        }
    }

    private void Open(BufferPool frames, CancellationToken cancel)
    {
        using var zstd = new ZstdDecompressor();
        foreach (var wanted in _fetched.GetConsumingEnumerable(cancel))
        {
            var started = _times.Now;
            if (!TryOpen(zstd, wanted))
            {
                // A memory or transport error is gone the second time, damage in the store is not.
                FetchAsync(wanted, cancel).GetAwaiter().GetResult();
                if (!TryOpen(zstd, wanted))
                    throw DeployFailures.Corrupt(wanted.Work.Span.Volume.Header, wanted.Chunk);
            }
            _times.Add(StageTimes.Stage.Cpu, started);
            frames.Return(wanted.Frame!);
            wanted.Frame = null;
            wanted.Work.Opened();
        }
    }

    private static bool TryOpen(ZstdDecompressor zstd, WantedChunk wanted) =>
        ChunkFrame.TryOpen(zstd, wanted.Chunk.Id, wanted.Frame!.Span[..wanted.FrameLength], wanted.Place);

    private void Write(BufferPool plains, CancellationToken cancel)
    {
        foreach (var work in _inOrder.GetConsumingEnumerable(cancel))
        {
            work.Ready.Task.Wait(cancel);
            writer.Put(work.Span, work.Kept, work.Plain is null ? default : work.Plain.Span[..work.Span.Length], _times, cancel);
            if (work.Plain is not null)
                plains.Return(work.Plain);
        }
    }
}
