using System.Collections.Concurrent;
using ImageForge.Multicast.Blocks;

namespace ImageForge.Multicast.Sending;

/// <summary>Reads blocks ahead of the sending thread, a few at most.</summary>
/// <param name="gate">Lock of the core.</param>
internal sealed class BlockReader(SenderCore core, Lock gate, BlockComposer composer, Action starved, Action ready, TimeProvider time) : IDisposable
{
    private const int Ahead = 3;

    /// <summary>Between looks for chunks to read, when there were none.</summary>
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(5);

    private readonly ConcurrentQueue<ComposedBlock> _ready = new();
    private readonly SemaphoreSlim _free = new(Ahead);
    private int _pending;

    /// <summary>The next block, if it is read already.</summary>
    public bool TryTake(out ComposedBlock block)
    {
        if (!_ready.TryDequeue(out block!))
            return false;
        _free.Release();
        return true;
    }

    /// <summary>The core has begun a block that was taken. Under the lock.</summary>
    public void Begun() => _pending--;

    public async Task RunAsync(CancellationToken cancel)
    {
        for (; ; )
        {
            await _free.WaitAsync(cancel);
            var block = await NextAsync(cancel);
            // Only now: until a chunk is taken another epoch may begin, and with it the numbers.
            lock (gate)
                block.Number = core.NextBlock + (uint)_pending++;
            _ready.Enqueue(block);
            ready();
        }
    }

    /// <summary>After <see cref="RunAsync"/> has ended.</summary>
    public void Dispose()
    {
        while (_ready.TryDequeue(out var block))
            block.Dispose();
        _free.Dispose();
    }

    private async ValueTask<ComposedBlock> NextAsync(CancellationToken cancel)
    {
        for (; ; )
        {
            if (await composer.ComposeAsync(number: 0, Take, Absent, cancel) is { } block)
                return block;
            if (composer.Starved)
                starved();
            // Nothing to read: the pass is over, or waits to begin.
            await Task.Delay(s_pause, time, cancel);
        }
    }

    private int? Take()
    {
        lock (gate)
            return core.TryTakeChunk(out var chunk) ? chunk : null;
    }

    private void Absent(int chunk)
    {
        lock (gate)
            core.Absent(chunk);
    }
}
