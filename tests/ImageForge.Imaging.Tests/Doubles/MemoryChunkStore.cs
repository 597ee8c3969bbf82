using System.Collections.Concurrent;
using ImageForge.Imaging.Chunks;

namespace ImageForge.Imaging.Tests.Doubles;

/// <summary>A store in memory that counts, and can be told to fail.</summary>
internal sealed class MemoryChunkStore : IChunkSource, IChunkSink, IChunkInventory
{
    private int _stored, _fetched, _asked;

    public ConcurrentDictionary<ChunkId, byte[]> Frames { get; } = new();

    /// <summary>Successful puts, counting an id each time it is sent.</summary>
    public int Stored => _stored;

    public int Fetched => _fetched;

    public int Asked => _asked;

    /// <summary>Called before a frame is stored.</summary>
    public Action<ChunkId>? BeforeStore { get; set; }

    /// <summary>Replaces what a fetch returns: id, how often it was fetched before, stored frame.</summary>
    public Func<ChunkId, int, byte[], byte[]>? Tamper { get; set; }

    private readonly ConcurrentDictionary<ChunkId, int> _times = new();

    public ValueTask<bool[]> HeldAsync(IReadOnlyList<ChunkId> ids, CancellationToken cancel) => ValueTask.FromResult(ids.Select(Frames.ContainsKey).ToArray());

    public ValueTask<bool[]> MissingAsync(IReadOnlyList<ChunkId> ids, CancellationToken cancel)
    {
        Interlocked.Add(ref _asked, ids.Count);
        return ValueTask.FromResult(ids.Select(id => !Frames.ContainsKey(id)).ToArray());
    }

    public async ValueTask StoreAsync(ChunkId id, int plainLength, ReadOnlyMemory<byte> frame, CancellationToken cancel)
    {
        await Task.Yield();
        BeforeStore?.Invoke(id);
        cancel.ThrowIfCancellationRequested();
        Assert.True(ChunkFrame.Verify(id, plainLength, frame.Span), "a frame that is not its chunk was sent");
        Frames[id] = frame.ToArray();
        Interlocked.Increment(ref _stored);
    }

    public async ValueTask<int> ReadFrameAsync(ChunkId id, Memory<byte> frame, CancellationToken cancel)
    {
        await Task.Yield();
        cancel.ThrowIfCancellationRequested();
        if (!Frames.TryGetValue(id, out var stored))
            throw ChunkFailures.Missing(id);
        Interlocked.Increment(ref _fetched);
        var times = _times.AddOrUpdate(id, 0, (_, n) => n + 1);
        stored = Tamper?.Invoke(id, times, stored) ?? stored;
        if (stored.Length > frame.Length)
            return 0;
        stored.CopyTo(frame);
        return stored.Length;
    }
}

/// <summary>The same store without an inventory: what it lacks shows only when it is fetched.</summary>
internal sealed class SourceOnly(IChunkSource inner) : IChunkSource
{
    public ValueTask<int> ReadFrameAsync(ChunkId id, Memory<byte> frame, CancellationToken cancel) => inner.ReadFrameAsync(id, frame, cancel);
}
