using System.Collections.Concurrent;
using ImageForge.Imaging.Disks;

namespace ImageForge.Imaging.Pipelines;

/// <summary>A fixed number of equal buffers: the pipeline's memory bound and its back-pressure. Buffers are made when first needed.</summary>
internal sealed class BufferPool(int size, int count) : IDisposable
{
    private readonly SemaphoreSlim _free = new(count, count);
    private readonly ConcurrentBag<AlignedBuffer> _idle = [];

    /// <summary>How many buffers of <paramref name="size"/> fit a budget, at least <paramref name="least"/>.</summary>
    public static int CountFor(int budget, int size, int least) => Math.Clamp(budget / size, least, 256);

    /// <summary>Waits for a buffer; its content is undefined.</summary>
    public AlignedBuffer Rent(CancellationToken cancel)
    {
        _free.Wait(cancel);
        return _idle.TryTake(out var buffer) ? buffer : AlignedBuffer.Rent(size);
    }

    public async ValueTask<AlignedBuffer> RentAsync(CancellationToken cancel)
    {
        await _free.WaitAsync(cancel);
        return _idle.TryTake(out var buffer) ? buffer : AlignedBuffer.Rent(size);
    }

    public void Return(AlignedBuffer buffer)
    {
        _idle.Add(buffer);
        _free.Release();
    }

    /// <summary>Only after every stage has ended; buffers lost to a failure are left to the collector.</summary>
    public void Dispose()
    {
        foreach (var buffer in _idle)
            buffer.Dispose();
        _free.Dispose();
    }
}
