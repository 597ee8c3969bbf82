using System.Collections.Concurrent;
using System.Threading.Channels;
using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Manifests;
using ImageForge.Imaging.Pipelines;

namespace ImageForge.Imaging.Capture;

/// <summary>
/// read → mask and hash → ask which are missing → compress → send, all at once. Queues need no bound of their own: every item
/// holds a buffer of one of two pools, so the pools bound the memory and make a fast stage wait for a slow one.
/// </summary>
internal sealed class CapturePipeline(IBlockDevice source, IChunkSink sink, CaptureOptions options, CapturePlan plan, CaptureProgress progress) : IDisposable
{
    private const int PlainBudget = 24 << 20, FrameBudget = 10 << 20;

    /// <summary>Ids per question: a third of the buffers, so that two questions' worth is still read or compressed meanwhile.</summary>
    private readonly int _batch = Math.Max(1, BufferPool.CountFor(PlainBudget, options.ChunkSize, 4) / 3);
    private readonly int _workers = options.Workers > 0 ? options.Workers : Math.Clamp(Environment.ProcessorCount, 1, 8);
    private readonly BlockingCollection<Item> _read = [], _missing = [];
    private readonly Channel<Item> _hashed = Channel.CreateUnbounded<Item>(), _frames = Channel.CreateUnbounded<Item>();

    /// <summary>Ids being compressed or sent: a twin chunk is not sent twice. If its sending fails, so does the capture.</summary>
    private readonly ConcurrentDictionary<ChunkId, bool> _onTheWay = new();

    public async Task RunAsync(CancellationToken cancel)
    {
        using var plains = new BufferPool(options.ChunkSize, BufferPool.CountFor(PlainBudget, options.ChunkSize, 4));
        using var frames = new BufferPool(ZstdCompressor.Bound(options.ChunkSize), BufferPool.CountFor(FrameBudget, options.ChunkSize, 2));
        using var stages = new StageGroup(cancel);
        stages.Threads("capture read", 1, () => Read(plains, stages.Token), _read.CompleteAdding);
        stages.Threads("capture hash", _workers, () => Hash(plains, stages.Token), () => _hashed.Writer.Complete());
        stages.Tasks(1, () => AskAsync(plains, stages.Token), _missing.CompleteAdding);
        stages.Threads("capture compress", _workers, () => Compress(plains, frames, stages.Token), () => _frames.Writer.Complete());
        stages.Tasks(options.SendsInFlight, () => SendAsync(frames, stages.Token), () => { });
        await stages.CompleteAsync();
    }

    public void Dispose()
    {
        _read.Dispose();
        _missing.Dispose();
    }

    private void Read(BufferPool plains, CancellationToken cancel)
    {
        var reader = new SourceReader(source, plan.BadSectors);
        foreach (var volume in plan.Volumes)
        {
            var candidate = 0;
            for (var chunk = 0; chunk < volume.Header.ChunkCount; chunk++)
            {
                if (volume.UsageOf(chunk) == ChunkUsage.None)
                    continue;
                var readBytes = volume.ReadBytesOf(chunk);
                if (readBytes == 0)
                {
                    // Used, but wholly skipped: zero in the manifest, as every candidate that gets no id.
                    candidate++;
                    continue;
                }
                var plain = plains.Rent(cancel);
                var bits = volume.ReadBitsOf(chunk);
                var length = volume.Header.ChunkLength(chunk);
                var offset = volume.Header.Partition.Offset + (long)chunk * volume.Header.ChunkSize;
                progress.AddRead(reader.Read(volume.Header, offset, bits, plain.Span[..length]));
                _read.Add(new Item(volume, candidate++, readBytes, plain, length), cancel);
            }
        }
        plan.BadSectors.Finish();
    }

    private void Hash(BufferPool plains, CancellationToken cancel)
    {
        foreach (var item in _read.GetConsumingEnumerable(cancel))
        {
            var content = item.Buffer.Span[..item.Length];
            if (content.ContainsAnyExcept((byte)0))
            {
                _hashed.Writer.TryWrite(item with { Id = ChunkId.Of(content) });
                continue;
            }
            // Used and zero: the manifest says so without a chunk.
            plains.Return(item.Buffer);
            progress.Done(item.UsedBytes);
        }
    }

    private async Task AskAsync(BufferPool plains, CancellationToken cancel)
    {
        var batch = new List<Item>(_batch);
        while (await _hashed.Reader.WaitToReadAsync(cancel))
        {
            while (batch.Count < _batch && _hashed.Reader.TryRead(out var item))
            {
                if (_onTheWay.ContainsKey(item.Id) || batch.Exists(b => b.Id == item.Id))
                    Keep(item, plains);
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
                    Keep(batch[i], plains);
                    continue;
                }
                _onTheWay[batch[i].Id] = true;
                _missing.Add(batch[i], cancel);
            }
            batch.Clear();
        }
    }

    private void Keep(in Item item, BufferPool plains)
    {
        item.Volume.SetData(item.Candidate, item.Id);
        plains.Return(item.Buffer);
        progress.Held(item.UsedBytes);
    }

    private void Compress(BufferPool plains, BufferPool frames, CancellationToken cancel)
    {
        using var zstd = new ZstdCompressor();
        foreach (var item in _missing.GetConsumingEnumerable(cancel))
        {
            var frame = frames.Rent(cancel);
            var length = zstd.Compress(item.Buffer.Span[..item.Length], frame.Span, options.Level);
            plains.Return(item.Buffer);
            _frames.Writer.TryWrite(item with { Buffer = frame, FrameLength = length });
        }
    }

    private async Task SendAsync(BufferPool frames, CancellationToken cancel)
    {
        await foreach (var item in _frames.Reader.ReadAllAsync(cancel))
        {
            await sink.StoreAsync(item.Id, item.Length, item.Buffer.Memory[..item.FrameLength], cancel);
            item.Volume.SetData(item.Candidate, item.Id);
            _onTheWay.TryRemove(item.Id, out _);
            frames.Return(item.Buffer);
            progress.Sent(item.UsedBytes, item.FrameLength);
        }
    }

    /// <param name="Candidate">The chunk's place among those with used blocks in its volume.</param>
    /// <param name="Buffer">Plain content, later the frame.</param>
    /// <param name="Length">Plain bytes.</param>
    private readonly record struct Item(ManifestVolumeBuilder Volume, int Candidate, long UsedBytes, AlignedBuffer Buffer, int Length, ChunkId Id = default, int FrameLength = 0);
}
