using ImageForge.Contracts;
using ImageForge.Server.Jobs;
using Microsoft.Data.Sqlite;

namespace ImageForge.Server.ImageStore;

/// <summary>
/// Looks after the store: hashes again what an unclean end left (nobody waits for it: a chunk that is asked for is hashed at once),
/// gives back leases of tasks that ended, and syncs when much has arrived.
/// </summary>
internal sealed partial class ImageStoreService(
    ChunkStore store, ChunkLeases leases, HostTaskStore tasks, ImageStoreOptions options, TimeProvider time, ILogger<ImageStoreService> logger) : BackgroundService
{
    private const int TicksPerLeaseSweep = 60;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        try
        {
            await HashSuspectsAsync(stoppingToken);
            await ReleaseEndedLeasesAsync(stoppingToken);
            using var timer = new PeriodicTimer(Interval, time);
            for (var tick = 1; await timer.WaitForNextTickAsync(stoppingToken); tick++)
            {
                await SyncWhenMuchArrivedAsync(stoppingToken);
                if (tick % TicksPerLeaseSweep == 0)
                    await ReleaseEndedLeasesAsync(stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The server stops; the store's own end syncs what is left.
        }
    }

    private async Task HashSuspectsAsync(CancellationToken cancellationToken)
    {
        var count = store.SuspectCount;
        if (count == 0)
            return;
        LogHashing(count);
        var start = time.GetTimestamp();
        var bad = await Task.Run(() => store.VerifySuspects(cancellationToken, (id, e) => LogCannotHash(e, id)), cancellationToken);
        LogHashed(count, bad, (long)time.GetElapsedTime(start).TotalMilliseconds);
    }

    private async Task ReleaseEndedLeasesAsync(CancellationToken cancellationToken)
    {
        try
        {
            foreach (var taskId in await leases.TasksAsync(cancellationToken))
            {
                if (await tasks.FindAsync(taskId, cancellationToken) is { State: var state } && state.IsActive())
                    continue;
                await leases.ReleaseAsync(taskId, cancellationToken);
            }
        }
        catch (SqliteException e)
        {
            // A full disk, most likely; the sweep comes again.
            LogCannotRelease(e);
        }
    }

    private async Task SyncWhenMuchArrivedAsync(CancellationToken cancellationToken)
    {
        if (store.UnsyncedCount < options.CheckpointChunks)
            return;
        try
        {
            if (await store.MakeDurableAsync(cancellationToken) is not 0 and var errno)
                LogSyncFailed(errno);
        }
        catch (IOException e)
        {
            // A full disk, most likely. The uploads themselves tell people; the seal tries again.
            LogCannotSync(e);
        }
    }
}
