using System.Runtime.ExceptionServices;

namespace ImageForge.Imaging.Pipelines;

/// <summary>
/// The stages of one pipeline: they start together, the first failure stops them all, and that failure is the one reported.
/// Stages that block (disk, hashing, compression) get threads of their own, so that a machine with one core still answers the network.
/// </summary>
internal sealed class StageGroup : IDisposable
{
    private readonly CancellationTokenSource _stop;
    private readonly CancellationToken _outer;
    private readonly List<Task> _stages = [];
    private ExceptionDispatchInfo? _failure;

    public StageGroup(CancellationToken cancel)
    {
        _outer = cancel;
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
    }

    /// <summary>Cancelled from outside or by the first failure.</summary>
    public CancellationToken Token => _stop.Token;

    /// <summary>Runs a blocking body on <paramref name="count"/> threads; <paramref name="completed"/> follows once the last has ended, whatever the outcome.</summary>
    public void Threads(string name, int count, Action body, Action completed)
    {
        var left = count;
        for (var i = 0; i < count; i++)
        {
            var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _stages.Add(done.Task);
            new Thread(() =>
            {
                Guard(body);
                if (Interlocked.Decrement(ref left) == 0)
                    completed();
                done.SetResult();
            })
            { Name = name, IsBackground = true }.Start();
        }
    }

    /// <summary>Runs an asynchronous body <paramref name="count"/> times side by side.</summary>
    public void Tasks(int count, Func<Task> body, Action completed)
    {
        var left = count;
        for (var i = 0; i < count; i++)
            _stages.Add(Task.Run(async () =>
            {
                try
                {
                    await body();
                }
                catch (Exception e)
                {
                    Fail(e);
                }
                if (Interlocked.Decrement(ref left) == 0)
                    completed();
            }, CancellationToken.None));
    }

    /// <summary>Returns when every stage has ended; throws what made the first one fail.</summary>
    public async Task CompleteAsync()
    {
        await Task.WhenAll(_stages);
        // A failure that follows a cancel from outside is its echo.
        _outer.ThrowIfCancellationRequested();
        _failure?.Throw();
    }

    public void Dispose() => _stop.Dispose();

    private void Guard(Action body)
    {
        try
        {
            body();
        }
        catch (Exception e)
        {
            Fail(e);
        }
    }

    private void Fail(Exception e)
    {
        if (e is OperationCanceledException && _stop.IsCancellationRequested)
            return;
        Interlocked.CompareExchange(ref _failure, ExceptionDispatchInfo.Capture(e), null);
        _stop.Cancel();
    }
}
