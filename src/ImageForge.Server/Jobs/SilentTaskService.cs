namespace ImageForge.Server.Jobs;

/// <summary>Ends what was to be cancelled when the agent that should confirm it is gone.</summary>
internal sealed partial class SilentTaskService(HostTaskStore tasks, JobsOptions options, TimeProvider time, ILogger<SilentTaskService> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(Math.Max(1, options.SweepSeconds)), time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                var ended = await tasks.EndSilentCancelledAsync(options.SilentAfter, stoppingToken);
                if (ended > 0)
                    LogEnded(ended);
            }
            catch (Microsoft.Data.Sqlite.SqliteException e)
            {
                // A full disk or a locked database passes; the sweep comes again.
                LogFailed(e);
            }
        }
    }
}
