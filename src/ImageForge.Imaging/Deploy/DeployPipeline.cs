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
internal sealed class DeployPipeline(IBlockDevice target, IChunkSource source, WritePlan plan, DeployOptions options, DeployState state, DeployProgress progress) : IDisposable
{
    private const int PlainBudget = 24 << 20, FrameBudget = 10 << 20, QueuedSpans = 1024;

    private readonly int _chunkSize = plan.Manifest.Volumes.Select(v => v.Header.ChunkSize).DefaultIfEmpty(ChunkSizes.Smallest).Max();
    private readonly int _workers = Math.Clamp(Environment.ProcessorCount, 1, 4);
    private readonly StageTimes _times = progress.Times(source as IRemoteTimes);
    private readonly BlockingCollection<SpanWork> _inOrder = new(QueuedSpans), _toCompare = [];
    private readonly BlockingCollection<WantedChunk> _fetched = [];
    private readonly Channel<WantedChunk> _wanted = Channel.CreateUnbounded<WantedChunk>();
    private readonly ComparisonPace _pace = new();
    private readonly Lock _flushing = new();
    private long _sinceFlush;

    public async Task RunAsync(CancellationToken cancel)
    {
        var spanBytes = ChunkSpan.BufferLength(plan.Manifest);
        using var plains = new BufferPool(spanBytes, BufferPool.CountFor(PlainBudget, spanBytes, 4));
        using var frames = new BufferPool(ChunkFrame.MaxLength(_chunkSize), BufferPool.CountFor(FrameBudget, _chunkSize, 2));
        using var stages = new StageGroup(cancel);
        _times.SetWorkers(Math.Max(options.WritesInFlight, 1), _workers, options.FetchesInFlight);
        stages.Threads("deploy walk", 1, () => Walk(plains, stages.Token), () =>
        {
            _toCompare.CompleteAdding();
            _inOrder.CompleteAdding();
        });
        stages.Threads("deploy compare", options.ReadsInFlight, () => Compare(stages.Token), () => _wanted.Writer.Complete());
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

    private void Walk(BufferPool plains, CancellationToken cancel)
    {
        var compares = plan.Resuming || options.Compare == CompareWith.AnyDisk ? Enumerable.Repeat(true, plan.Manifest.Volumes.Count).ToArray()
            : options.Compare == CompareWith.Auto ? new TargetSampling(target, plan, progress).WorthComparing(cancel)
            : new bool[plan.Manifest.Volumes.Count];
        foreach (var span in ChunkSpan.Of(plan.Manifest, static (_, _) => true))
        {
            var compare = compares[span.VolumeIndex] && _pace.WantsNext();
            var plain = compare || span.Chunks.Any(c => c.Kind == ChunkKind.Data) ? plains.Rent(cancel) : null;
            var work = new SpanWork(span, plain);
            _inOrder.Add(work, cancel);
            if (compare)
                _toCompare.Add(work, cancel);
            else
                Want(work);
        }
    }

    private void Compare(CancellationToken cancel)
    {
        var disk = new SpanOnDisk(target);
        foreach (var work in _toCompare.GetConsumingEnumerable(cancel))
        {
            var started = _times.Now;
            try
            {
                progress.AddCompared(disk.Read(work.Span, work.Plain!.Span));
                started = _times.Add(StageTimes.Stage.Disk, started);
                work.Kept = [.. work.Span.Chunks.Select((chunk, i) => Keeps(work, chunk, i))];
                _times.Add(StageTimes.Stage.Cpu, started);
            }
            catch (DiskException e) when (e.Trouble == DiskTrouble.MediumError)
            {
                // A sector that cannot be read may well take a write: the disk remaps it then.
            }
            _pace.Tell(work.Kept is not null && Array.IndexOf(work.Kept, true) >= 0, work.Span.Length);
            Want(work);
        }
    }

    private bool Keeps(SpanWork work, in ManifestChunk chunk, int index)
    {
        var volume = work.Span.Volume;
        // The head of a volume is never on the disk yet, so its chunks are always wanted.
        if (chunk.VolumeOffset < plan.HeadBytes(volume.Header) && chunk.Kind == ChunkKind.Data)
            return false;
        var right = SpanOnDisk.IsRight(volume, chunk, work.Plain!.Span.Slice(work.Span.At(index), chunk.Length), default);
        if (right)
            progress.AddKept(volume.UsedBytesOf(chunk));
        return right;
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
        var writer = new SpanWriter(target, plan);
        foreach (var work in _inOrder.GetConsumingEnumerable(cancel))
        {
            work.Ready.Task.Wait(cancel);
            var span = work.Span;
            // A head of zeros is held back too: without a partition table the resume record lies in it.
            for (var i = 0; i < span.Chunks.Count; i++)
                state.HoldBack(span.VolumeIndex, span.Chunks[i], span.Chunks[i].Kind == ChunkKind.Zero ? default : work.Plain!.Span.Slice(span.At(i), span.Chunks[i].Length));
            var started = _times.Now;
            writer.Write(span, work.Kept, work.Plain is null ? default : work.Plain.Span[..span.Length], cancel);
            _times.Add(StageTimes.Stage.Disk, started);
            if (work.Plain is not null)
                plains.Return(work.Plain);
            long written = 0;
            for (var i = 0; i < span.Chunks.Count; i++)
            {
                if (work.Keeps(i))
                    continue;
                state.MarkWritten(span.VolumeIndex, span.Chunks[i].Index);
                progress.AddWritten(span.Volume.UsedBytesOf(span.Chunks[i]));
                written += span.Chunks[i].Length;
            }
            FlushAfter(written);
        }
    }

    private void FlushAfter(long written)
    {
        lock (_flushing)
        {
            _sinceFlush += written;
            if (_sinceFlush < options.FlushEveryBytes)
                return;
            _sinceFlush = 0;
        }
        target.Flush();
    }
}
