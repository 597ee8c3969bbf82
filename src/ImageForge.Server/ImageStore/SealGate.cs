namespace ImageForge.Server.ImageStore;

/// <summary>
/// Only one at a time: the decisive step of a seal (manifest and row), a sweep's removal of one folder's garbage, the setting aside of bad
/// chunks. Each is short; nobody holds it over a walk of the store or a sync of its chunks.
/// </summary>
internal sealed class SealGate : IDisposable
{
    private readonly SemaphoreSlim _one = new(1, 1);

    /// <summary>Dispose the answer to leave.</summary>
    public async ValueTask<IDisposable> EnterAsync(CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        return new Inside(_one);
    }

    public void Dispose() => _one.Dispose();

    private sealed class Inside(SemaphoreSlim one) : IDisposable
    {
        private int _left;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _left, 1) == 0)
                one.Release();
        }
    }
}
