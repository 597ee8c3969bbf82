using Microsoft.Data.Sqlite;

namespace ImageForge.Server.ImageStore;

/// <summary>
/// Looks after the store: hashes again what an unclean end left (nobody waits for it: a chunk that is asked for is hashed at once),
/// gives back stale leases, and syncs when much has arrived.
/// </summary>
internal sealed partial class ImageStoreService(
    ChunkStore store, StaleLeases leases, ImageStoreOptions options, TimeProvider time, ILogger<ImageStoreService> logger) : BackgroundService
{
    private const int TicksPerLeaseSweep = 60;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        try
        {
            await HashSuspectsAsync(stoppingToken);
            await ReleaseStaleLeasesAsync(stoppingToken);
            using var timer = new PeriodicTimer(Interval, time);
            for (var tick = 1; await timer.WaitForNextTickAsync(stoppingToken); tick++)
            {
                await SyncWhenMuchArrivedAsync(stoppingToken);
                if (tick % TicksPerLeaseSweep == 0)
                    await ReleaseStaleLeasesAsync(stoppingToken);
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

    private async Task ReleaseStaleLeasesAsync(CancellationToken cancellationToken)
    {
        try
        {
            await leases.ReleaseAsync(cancellationToken);
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
