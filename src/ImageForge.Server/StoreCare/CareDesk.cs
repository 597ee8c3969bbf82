using System.Text.Json.Serialization.Metadata;

namespace ImageForge.Server.StoreCare;

/// <summary>
/// Starts, follows and cancels one kind of work on the store: one at a time, its progress in memory and every few seconds in the database.
/// </summary>
internal abstract class CareDesk<TRequest, TProgress>(
    StoreRunKind kind, StoreRuns runs, TimeProvider time, JsonTypeInfo<TRequest> requestType, JsonTypeInfo<TProgress> progressType)
    where TProgress : class
{
    private static readonly TimeSpan RecordInterval = TimeSpan.FromSeconds(3);

    private readonly Lock _lock = new();
    private Work? _work;
    private bool _stopping;

    /// <summary>The one that runs or ran last; null: there was none.</summary>
    public async Task<StoreRun<TRequest, TProgress>?> LastAsync(CancellationToken cancellationToken)
    {
        var last = await runs.LastAsync(kind, requestType, progressType, cancellationToken);
        lock (_lock)
            return last is not null && _work is { Ended: false } work && work.Id == last.Id ? last with { Progress = work.Progress } : last;
    }

    /// <summary>False: one runs already.</summary>
    public Task<bool> StartAsync(TRequest request, string by, CancellationToken cancellationToken) =>
        StartAsync(request, First, () => runs.BeginAsync(kind, by, request, First, requestType, progressType, cancellationToken));

    /// <summary>False: none runs. Returns once it has ended.</summary>
    public async Task<bool> CancelAsync()
    {
        Work? work;
        lock (_lock)
            work = _work;
        if (work is null or { Ended: true })
            return false;
        await work.Cancel.CancelAsync();
        await work.Done.Task;
        return true;
    }

    /// <summary>The server stops: what runs is recorded as interrupted.</summary>
    public async Task StopAsync()
    {
        lock (_lock)
            _stopping = true;
        await CancelAsync();
    }

    protected abstract TProgress First { get; }

    protected abstract Task<TProgress> WorkAsync(TRequest request, TProgress from, Action<TProgress> report, CancellationToken cancellationToken);

    /// <summary>Why it could not do its work; null: it is done.</summary>
    protected abstract string? ProblemOf(TProgress progress);

    protected abstract TProgress WithProblem(TProgress progress, string problem);

    /// <summary>Tells people what came of it.</summary>
    protected abstract Task AnnounceAsync(TRequest request, StoreRunState state, TProgress progress, CancellationToken cancellationToken);

    /// <summary>Goes on with a run that a restart interrupted.</summary>
    protected Task<bool> ContinueAsync(StoreRun<TRequest, TProgress> run) => StartAsync(run.Request, run.Progress, async () =>
    {
        await runs.RecordAsync(run.Id, StoreRunState.Running, run.Progress, progressType, CancellationToken.None);
        return run.Id;
    });

    /// <summary>Ends the record of a run that a restart interrupted.</summary>
    protected Task GiveUpAsync(StoreRun<TRequest, TProgress> run, CancellationToken cancellationToken) =>
        runs.RecordAsync(run.Id, StoreRunState.Interrupted, run.Progress, progressType, cancellationToken);

    private async Task<bool> StartAsync(TRequest request, TProgress from, Func<Task<long>> begin)
    {
        var work = new Work(from);
        lock (_lock)
        {
            if (_stopping || _work is { Ended: false })
                return false;
            _work = work;
        }
        try
        {
            work.Id = await begin();
        }
        catch
        {
            work.Done.SetResult();
            throw;
        }
        _ = Task.Run(() => RunAsync(work, request));
        return true;
    }

    private async Task RunAsync(Work work, TRequest request)
    {
        var recorded = time.GetTimestamp();
        var state = StoreRunState.Done;
        try
        {
            work.Progress = await WorkAsync(request, work.Progress, progress =>
            {
                work.Progress = progress;
                if (time.GetElapsedTime(recorded) < RecordInterval)
                    return;
                recorded = time.GetTimestamp();
                // The walk goes on meanwhile; the end is awaited below.
                work.Recording = RecordAsync(work.Recording, work, null);
            }, work.Cancel.Token);
            if (ProblemOf(work.Progress) is not null)
                state = StoreRunState.Failed;
        }
        catch (OperationCanceledException) when (work.Cancel.IsCancellationRequested)
        {
            lock (_lock)
                state = _stopping ? StoreRunState.Interrupted : StoreRunState.Cancelled;
        }
        catch (Exception e)
        {
            // Whatever it was, the record must end, and the next one may begin.
            state = StoreRunState.Failed;
            work.Progress = WithProblem(work.Progress, e.Message);
        }
        try
        {
            await RecordAsync(work.Recording, work, state);
            if (state != StoreRunState.Interrupted)
                await AnnounceAsync(request, state, work.Progress, CancellationToken.None);
        }
        catch (Exception e) when (e is IOException or Microsoft.Data.Sqlite.SqliteException)
        {
            // The disk is full: it stays "running" in the record and ends at the next start.
        }
        finally
        {
            work.Done.SetResult();
        }
    }

    private async Task RecordAsync(Task before, Work work, StoreRunState? state)
    {
        try
        {
            await before;
        }
        catch (Exception e) when (e is IOException or Microsoft.Data.Sqlite.SqliteException)
        {
            // One that was to show how far it was; this one shows more.
        }
        await runs.RecordAsync(work.Id, state, work.Progress, progressType, CancellationToken.None);
    }

    private sealed class Work(TProgress progress)
    {
        public long Id { get; set; }

        public TProgress Progress { get; set; } = progress;

        public CancellationTokenSource Cancel { get; } = new();

        public Task Recording { get; set; } = Task.CompletedTask;

        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool Ended => Done.Task.IsCompleted;
    }
}
