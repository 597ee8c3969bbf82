using System.Collections.Concurrent;
using System.Threading.Channels;
using ImageForge.Contracts;
using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Manifests;
using ImageForge.Imaging.Pipelines;

namespace ImageForge.Imaging.Deploy;

/// <summary>
/// walk (and compare) → fetch, several at once → decompress and verify → write in disk order. The walker rents the plain buffer
/// of a chunk before it queues it, so the oldest chunk always has one: the writer, which keeps the order, cannot starve.
/// </summary>
internal sealed class DeployPipeline(IBlockDevice target, IChunkSource source, WritePlan plan, DeployOptions options, DeployState state, DeployProgress progress) : IDisposable
{
    private const int PlainBudget = 24 << 20, FrameBudget = 10 << 20, QueuedChunks = 1024;

    private readonly int _chunkSize = plan.Manifest.Volumes.Select(v => v.Header.ChunkSize).DefaultIfEmpty(ChunkSizes.Smallest).Max();
    private readonly BlockingCollection<Pending> _inOrder = new(QueuedChunks);
    private readonly BlockingCollection<Pending> _fetched = [];
    private readonly Channel<Pending> _wanted = Channel.CreateUnbounded<Pending>();

    public async Task RunAsync(CancellationToken cancel)
    {
        using var plains = new BufferPool(_chunkSize, BufferPool.CountFor(PlainBudget, _chunkSize, 4));
        using var frames = new BufferPool(ChunkFrame.MaxLength(_chunkSize), BufferPool.CountFor(FrameBudget, _chunkSize, 2));
        using var stages = new StageGroup(cancel);
        stages.Threads("deploy walk", 1, () => Walk(plains, stages.Token), () =>
        {
            _wanted.Writer.Complete();
            _inOrder.CompleteAdding();
        });
        stages.Tasks(options.FetchesInFlight, () => FetchAsync(frames, stages.Token), _fetched.CompleteAdding);
        stages.Threads("deploy open", Math.Clamp(Environment.ProcessorCount, 1, 4), () => Open(frames, stages.Token), () => { });
        stages.Threads("deploy write", 1, () => Write(plains, stages.Token), () => { });
        await stages.CompleteAsync();
    }

    public void Dispose()
    {
        _inOrder.Dispose();
        _fetched.Dispose();
    }

    private void Walk(BufferPool plains, CancellationToken cancel)
    {
        var comparing = plan.Resuming || options.Compare == CompareWith.AnyDisk;
        var disk = new ChunkOnDisk(target);
        var pace = new ComparisonPace();
        for (var v = 0; v < plan.Manifest.Volumes.Count; v++)
        {
            var volume = plan.Manifest.Volumes[v];
            foreach (var chunk in volume.Chunks())
            {
                if (chunk.Kind == ChunkKind.Unused)
                    continue;
                // The head of a volume is never on the disk yet, so its first chunk is always wanted.
                var compare = comparing && !(chunk.Index == 0 && chunk.Kind == ChunkKind.Data) && pace.WantsNext();
                var plain = compare || chunk.Kind == ChunkKind.Data ? plains.Rent(cancel) : null;
                if (compare && Keeps(disk, pace, volume, chunk, plain!))
                {
                    plains.Return(plain!);
                    continue;
                }
                if (chunk.Kind == ChunkKind.Zero && plain is not null)
                {
                    plains.Return(plain);
                    plain = null;
                }
                var pending = new Pending(v, volume, chunk, plain);
                if (plain is not null)
                    _wanted.Writer.TryWrite(pending);
                _inOrder.Add(pending, cancel);
            }
        }
    }

    private bool Keeps(ChunkOnDisk disk, ComparisonPace pace, ManifestVolume volume, in ManifestChunk chunk, AlignedBuffer buffer)
    {
        var right = false;
        try
        {
            right = disk.IsRight(volume, chunk, buffer.Span, default);
        }
        catch (DiskException e) when (e.Trouble == DiskTrouble.MediumError)
        {
            // A sector that cannot be read may well take a write: the disk remaps it then.
        }
        pace.Tell(right);
        progress.AddCompared(chunk.Length);
        if (right)
            progress.AddKept(volume.UsedBytesOf(chunk));
        return right;
    }

    private async Task FetchAsync(BufferPool frames, CancellationToken cancel)
    {
        await foreach (var pending in _wanted.Reader.ReadAllAsync(cancel))
        {
            pending.Frame = await frames.RentAsync(cancel);
            await FetchAsync(pending, cancel);
            _fetched.Add(pending, cancel);
        }
    }

    private async Task FetchAsync(Pending pending, CancellationToken cancel)
    {
        try
        {
            var room = pending.Frame!.Memory[..ChunkFrame.MaxLength(pending.Chunk.Length)];
            pending.FrameLength = await source.ReadFrameAsync(pending.Chunk.Id, room, cancel);
            progress.AddFetched(pending.FrameLength);
        }
        catch (FailureException e) when (e.Failure.Code == "chunkMissing")
        {
            throw DeployFailures.Missing(pending.Volume.Header, pending.Chunk, e);
        }
    }

    private void Open(BufferPool frames, CancellationToken cancel)
    {
        using var zstd = new ZstdDecompressor();
        foreach (var pending in _fetched.GetConsumingEnumerable(cancel))
        {
            if (!TryOpen(zstd, pending))
            {
                // A memory or transport error is gone the second time, damage in the store is not.
                FetchAsync(pending, cancel).GetAwaiter().GetResult();
                if (!TryOpen(zstd, pending))
                    throw DeployFailures.Corrupt(pending.Volume.Header, pending.Chunk);
            }
            frames.Return(pending.Frame!);
            pending.Frame = null;
            pending.Ready.SetResult();
        }
    }

    private static bool TryOpen(ZstdDecompressor zstd, Pending pending) =>
        ChunkFrame.TryOpen(zstd, pending.Chunk.Id, pending.Frame!.Span[..pending.FrameLength], pending.Plain!.Span[..pending.Chunk.Length]);

    private void Write(BufferPool plains, CancellationToken cancel)
    {
        var writer = new ChunkWriter(target, plan);
        long sinceFlush = 0;
        foreach (var pending in _inOrder.GetConsumingEnumerable(cancel))
        {
            var plain = default(ReadOnlySpan<byte>);
            if (pending.Plain is not null)
            {
                pending.Ready.Task.Wait(cancel);
                plain = pending.Plain.Span[..pending.Chunk.Length];
            }
            // A head of zeros is held back too: without a partition table the resume record lies in it.
            if (pending.Chunk.Index == 0)
                state.Heads[pending.VolumeIndex] = pending.Plain is null ? new byte[plan.HeadBytes(pending.Volume.Header)] : plain[..plan.HeadBytes(pending.Volume.Header)].ToArray();
            writer.Write(pending.Volume, pending.Chunk, plain);
            state.MarkWritten(pending.VolumeIndex, pending.Chunk.Index);
            if (pending.Plain is not null)
                plains.Return(pending.Plain);
            progress.AddWritten(pending.Volume.UsedBytesOf(pending.Chunk));
            sinceFlush += pending.Chunk.Length;
            if (sinceFlush >= options.FlushEveryBytes)
            {
                target.Flush();
                sinceFlush = 0;
            }
        }
    }

    /// <summary>A chunk on its way to the disk.</summary>
    /// <param name="plain">Null for a zero chunk.</param>
    private sealed class Pending(int volumeIndex, ManifestVolume volume, ManifestChunk chunk, AlignedBuffer? plain)
    {
        public int VolumeIndex { get; } = volumeIndex;
        public ManifestVolume Volume { get; } = volume;
        public ManifestChunk Chunk { get; } = chunk;
        public AlignedBuffer? Plain { get; } = plain;
        public AlignedBuffer? Frame { get; set; }
        public int FrameLength { get; set; }

        /// <summary>Done once <see cref="Plain"/> holds the verified content.</summary>
        public TaskCompletionSource Ready { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
