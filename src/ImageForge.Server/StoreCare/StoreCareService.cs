using ImageForge.Server.Images;
using ImageForge.Server.ImageStore;

namespace ImageForge.Server.StoreCare;

/// <summary>
/// Looks after the store in the background: the nightly sweep, what a restart interrupted, the sizes of versions after one came or went, and the
/// health of versions whose chunks came back.
/// </summary>
internal sealed partial class StoreCareService(
    SweepDesk sweeps, VerifyDesk verifications, VersionSizes sizes, ImageVersions versions, ChunkFaults faults, ImageStoreOptions options, TimeProvider time, ILogger<StoreCareService> logger)
    : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);
    private const int TicksPerHealing = 15;
    private const int SizesRest = 20;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        try
        {
            await TryAsync(() => sweeps.ResumeAsync(stoppingToken));
            await TryAsync(() => verifications.ResumeAsync(stoppingToken));
            var nextSweep = NextSweep(time.GetLocalNow());
            var sized = -1;
            var rest = TimeSpan.Zero;
            var restFrom = time.GetTimestamp();
            using var timer = new PeriodicTimer(Interval, time);
            for (var tick = 0; ; tick++)
            {
                if (versions.Changes is var changes && changes != sized && time.GetElapsedTime(restFrom) >= rest)
                {
                    var start = time.GetTimestamp();
                    if (await TryAsync(() => sizes.UpdateAsync(stoppingToken)))
                        sized = changes;
                    // A room is captured: with thousands of versions the sizes must not be worked out without pause.
                    restFrom = time.GetTimestamp();
                    rest = time.GetElapsedTime(start, restFrom) * SizesRest;
                }
                if (tick % TicksPerHealing == 0)
                    await TryAsync(() => faults.HealAsync(force: tick == 0, stoppingToken));
                if (nextSweep is { } due && time.GetLocalNow() >= due)
                {
                    await TryAsync(() => sweeps.StartAsync(new SweepRequest(), "schedule", stoppingToken));
                    nextSweep = NextSweep(time.GetLocalNow());
                }
                await timer.WaitForNextTickAsync(stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The server stops.
        }
        finally
        {
            await sweeps.StopAsync();
            await verifications.StopAsync();
        }
    }

    /// <summary>The next time the clock shows the hour of the sweep; null: never.</summary>
    private DateTimeOffset? NextSweep(DateTimeOffset now)
    {
        if (options.SweepHour is < 0 or > 23)
            return null;
        var today = new DateTimeOffset(now.Date.AddHours(options.SweepHour), now.Offset);
        return today > now ? today : today.AddDays(1);
    }

    private async Task<bool> TryAsync(Func<Task> work)
    {
        try
        {
            await work();
            return true;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // A full or failing disk, most likely; it comes again. Whatever it is, machines must go on booting.
            LogCannot(e);
            return false;
        }
    }

    [LoggerMessage(LogLevel.Warning, "The image store cannot be looked after now")]
    private partial void LogCannot(Exception exception);
}
