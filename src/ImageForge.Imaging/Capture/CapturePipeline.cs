using System.Collections.Concurrent;
using System.Threading.Channels;
using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Manifests;
using ImageForge.Imaging.Pipelines;

namespace ImageForge.Imaging.Capture;

/// <summary>
/// read, mask and hash → ask which are missing → compress → send, all at once. Queues need no bound of their own: every item
/// holds a part of a buffer of one of two pools, so the pools bound the memory and make a fast stage wait for a slow one.
/// </summary>
internal sealed class CapturePipeline(IBlockDevice source, IChunkSink sink, CaptureOptions options, CapturePlan plan, CaptureProgress progress) : IDisposable
{
    private const int PlainBudget = 24 << 20, FrameBudget = 10 << 20, MostReaders = 8;

    private readonly int _chunkSize = plan.Volumes.Select(v => v.Header.ChunkSize).DefaultIfEmpty(ChunkSizes.Smallest).Max();
    private readonly int _workers = options.Workers > 0 ? options.Workers : Math.Clamp(Environment.ProcessorCount, 1, 8);
    private readonly AdaptiveLevel _adaptive = new(options.LowestLevel, Highest(sink, options, plan));
    private readonly StageTimes _times = progress.Times(sink as IRemoteTimes);
    private readonly BlockingCollection<Item> _missing = [];
    private readonly Channel<Item> _hashed = Channel.CreateUnbounded<Item>(), _frames = Channel.CreateUnbounded<Item>();

    /// <summary>Ids being compressed or sent: a twin chunk is not sent twice. If its sending fails, so does the capture.</summary>
    private readonly ConcurrentDictionary<ChunkId, bool> _onTheWay = new();

    private int _reading;

    public async Task RunAsync(CancellationToken cancel)
    {
        var span = Math.Max(CaptureSpan.Bytes, _chunkSize);
        using var plains = new BufferPool(span, BufferPool.CountFor(PlainBudget, span, 4));
        using var frames = new BufferPool(ZstdCompressor.Bound(_chunkSize), BufferPool.CountFor(FrameBudget, _chunkSize, 2));
        using var stages = new StageGroup(cancel);
        using var spans = CaptureSpan.Of(plan.Volumes).GetEnumerator();
        var readers = Math.Clamp(Math.Max(options.ReadsInFlight, _workers), 1, MostReaders);
        _reading = readers;
        _times.SetWorkers(readers, _workers, options.SendsInFlight);
        stages.Threads("capture read", readers, () => Read(spans, plains, stages.Token), () => _hashed.Writer.Complete());
        stages.Tasks(1, () => AskAsync(stages.Token), _missing.CompleteAdding);
        stages.Threads("capture compress", _workers, () => Compress(frames, stages.Token), () => _frames.Writer.Complete());
        stages.Tasks(options.SendsInFlight, () => SendAsync(frames, stages.Token), () => { });
        await stages.CompleteAsync();
    }

    public void Dispose() => _missing.Dispose();

    /// <summary>
    /// A local store takes its time from the same processors, so frames that wait for it are no reason to compress harder: measured,
    /// that tripled the work without being faster.
    /// </summary>
    private static int Highest(IChunkSink sink, CaptureOptions options, CapturePlan plan) =>
        sink is not IRemoteTimes ? options.LowestLevel
        : plan.Volumes.Any(v => v.Header.ChunkSize > 256 << 10) ? Math.Max(options.LowestLevel, Math.Min(options.HighestLevel, 6))
        : options.HighestLevel;

    /// <summary>Several reads are in flight, begun in disk order; who has read also masks and hashes.</summary>
    private void Read(IEnumerator<CaptureSpan> spans, BufferPool plains, CancellationToken cancel)
    {
        var reader = new SourceReader(source, plan.BadSectors);
        while (true)
        {
            // The buffer first: who waits for one must not hold the next place on the disk.
            var buffer = new SharedBuffer(plains, plains.Rent(cancel));
            CaptureSpan span;
            lock (spans)
            {
                if (!spans.MoveNext())
                {
                    buffer.Release();
                    break;
                }
                span = spans.Current;
            }
            var started = _times.Now;
            progress.AddRead(reader.Read(span, buffer.Span));
            started = _times.Add(StageTimes.Stage.Disk, started);
            Hash(span, buffer);
            _times.Add(StageTimes.Stage.Cpu, started);
            buffer.Release();
        }
        // Only the last one knows that everything is read.
        if (Interlocked.Decrement(ref _reading) == 0)
            plan.BadSectors.Finish();
    }

    private void Hash(in CaptureSpan span, SharedBuffer buffer)
    {
        var header = span.Volume.Header;
        for (var i = 0; i < span.Count; i++)
        {
            var chunk = span.FirstChunk + i;
            var content = buffer.Memory.Slice(i * header.ChunkSize, header.ChunkLength(chunk));
            var used = span.Volume.ReadBytesOf(chunk);
            if (content.Span.ContainsAnyExcept((byte)0))
            {
                buffer.Hold();
                _hashed.Writer.TryWrite(new Item(span.Volume, span.FirstCandidate + i, used, ChunkId.Of(content.Span), buffer, content));
            }
            else
            {
                // Used and zero: the manifest says so without a chunk.
                progress.Done(used);
            }
        }
    }

    private async Task AskAsync(CancellationToken cancel)
    {
        // A third of the buffers: two questions' worth is still read or compressed meanwhile.
        var most = Math.Max(1, PlainBudget / _chunkSize / 3);
        var batch = new List<Item>(most);
        var asked = new HashSet<ChunkId>(most);
        while (await _hashed.Reader.WaitToReadAsync(cancel))
        {
            while (batch.Count < most && _hashed.Reader.TryRead(out var item))
            {
                if (_onTheWay.ContainsKey(item.Id) || !asked.Add(item.Id))
                    Keep(item);
                else
                    batch.Add(item);
            }
            if (batch.Count == 0)
                continue;
            var missing = await sink.MissingAsync(batch.ConvertAll(b => b.Id), cancel);
            for (var i = 0; i < batch.Count; i++)
            {
                if (!missing[i])
                {
                    Keep(batch[i]);
                    continue;
                }
                _onTheWay[batch[i].Id] = true;
                _missing.Add(batch[i], cancel);
            }
            batch.Clear();
            asked.Clear();
        }
    }

    private void Keep(in Item item)
    {
        item.Volume.SetData(item.Candidate, item.Id);
        item.Buffer!.Release();
        progress.Held(item.UsedBytes);
    }

    private void Compress(BufferPool frames, CancellationToken cancel)
    {
        using var zstd = new ZstdCompressor();
        foreach (var item in _missing.GetConsumingEnumerable(cancel))
        {
            var frame = frames.Rent(cancel);
            var started = _times.Now;
            var length = zstd.Compress(item.Content.Span, frame.Span, LevelFor(item.Content.Span));
            _times.Add(StageTimes.Stage.Cpu, started);
            item.Buffer!.Release();
            _frames.Writer.TryWrite(item with { Buffer = null, Frame = frame, FrameLength = length });
        }
    }

    private int LevelFor(ReadOnlySpan<byte> plain)
    {
        if (options.Level is { } fixedLevel)
            return fixedLevel;
        var level = _adaptive.Next(_frames.Reader.Count, options.SendsInFlight, _missing.Count);
        progress.Level = level;
        return level > 1 && NoiseProbe.IsNoise(plain) ? 1 : level;
    }

    private async Task SendAsync(BufferPool frames, CancellationToken cancel)
    {
        await foreach (var item in _frames.Reader.ReadAllAsync(cancel))
        {
            var started = _times.Now;
            await sink.StoreAsync(item.Id, item.Content.Length, item.Frame!.Memory[..item.FrameLength], cancel);
            _times.Add(StageTimes.Stage.Transfer, started);
            item.Volume.SetData(item.Candidate, item.Id);
            _onTheWay.TryRemove(item.Id, out _);
            frames.Return(item.Frame);
            progress.Sent(item.UsedBytes, item.FrameLength);
        }
    }

    /// <param name="Candidate">The chunk's place among those with used blocks in its volume.</param>
    /// <param name="Buffer">What <paramref name="Content"/> lies in, until it is compressed; afterwards only the length of the content counts.</param>
    private readonly record struct Item(
        ManifestVolumeBuilder Volume, int Candidate, long UsedBytes, ChunkId Id, SharedBuffer? Buffer, Memory<byte> Content, AlignedBuffer? Frame = null, int FrameLength = 0);
}
