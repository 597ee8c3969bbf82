namespace ImageForge.Server.ImageStore;

/// <summary>
/// Bounds the memory of uploads that are being received: who does not fit waits, first come first served, and TCP holds the sender back.
/// </summary>
internal sealed class UploadMemory
{
    /// <summary>Key of the one for manifests: a large manifest on a slow line must not keep chunks waiting.</summary>
    public const string Manifests = "manifests";

    private readonly long _all;
    private readonly Lock _lock = new();
    private readonly LinkedList<Waiter> _waiting = [];
    private long _free;

    /// <param name="bytes">All there is.</param>
    public UploadMemory(long bytes) => _all = _free = bytes;

    public long FreeBytes
    {
        get
        {
            lock (_lock)
                return _free;
        }
    }

    /// <summary>Waits for <paramref name="wanted"/> bytes; dispose the answer to give them back. More than all there is counts as all.</summary>
    public async ValueTask<IDisposable> TakeAsync(long wanted, CancellationToken cancellationToken)
    {
        wanted = Math.Min(wanted, _all);
        Waiter waiter;
        lock (_lock)
        {
            if (_waiting.Count == 0 && wanted <= _free)
            {
                _free -= wanted;
                return new Taken(this, wanted);
            }
            waiter = new Waiter(wanted);
            waiter.Node = _waiting.AddLast(waiter);
        }
        await using var registration = cancellationToken.Register(() => GiveUp(waiter, cancellationToken));
        await waiter.Ready.Task;
        return new Taken(this, wanted);
    }

    private void GiveUp(Waiter waiter, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (waiter.Node!.List is null)
                return; // served in the same moment
            _waiting.Remove(waiter.Node);
            ServeNeedsLock();
        }
        waiter.Ready.TrySetCanceled(cancellationToken);
    }

    private void Return(long amount)
    {
        lock (_lock)
        {
            _free += amount;
            ServeNeedsLock();
        }
    }

    private void ServeNeedsLock()
    {
        while (_waiting.First is { } first && first.Value.Bytes <= _free)
        {
            _waiting.RemoveFirst();
            _free -= first.Value.Bytes;
            first.Value.Ready.TrySetResult();
        }
    }

    private sealed class Waiter(long bytes)
    {
        public long Bytes { get; } = bytes;

        public TaskCompletionSource Ready { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public LinkedListNode<Waiter>? Node { get; set; }
    }

    private sealed class Taken(UploadMemory owner, long amount) : IDisposable
    {
        private int _returned;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _returned, 1) == 0)
                owner.Return(amount);
        }
    }
}
