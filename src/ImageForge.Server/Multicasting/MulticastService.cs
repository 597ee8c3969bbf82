using ImageForge.Server.Jobs;

namespace ImageForge.Server.Multicasting;

/// <summary>Looks after the sessions once a second.</summary>
internal sealed partial class MulticastService(SessionDesk desk, HostTaskStore tasks, MulticastOptions options, TimeProvider time, ILogger<MulticastService> logger) : BackgroundService
{
    private const int TicksPerSearch = 10;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(options.TickSeconds), time);
        try
        {
            for (var tick = 0; await timer.WaitForNextTickAsync(stoppingToken); tick++)
            {
                try
                {
                    await TickAsync(tick, stoppingToken);
                }
                catch (Microsoft.Data.Sqlite.SqliteException e)
                {
                    // A full disk or a locked database passes; the next look comes at once.
                    LogFailed(e);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
        finally
        {
            await desk.DisposeAsync();
        }
    }

    private async Task TickAsync(int tick, CancellationToken cancellationToken)
    {
        var sessions = desk.Live;
        if (sessions.Count > 0)
        {
            var ending = (await tasks.ListEndingAsync([.. sessions.SelectMany(static s => s.Members).Select(static m => m.TaskId)], cancellationToken)).ToHashSet();
            foreach (var session in sessions)
            {
                var waitedFor = session is { Started: false, Row: { JobId: { } job, WaitForHosts: { } wanted } } ? Math.Min(wanted, await tasks.CountActiveAsync(job, cancellationToken)) : 0;
                await desk.TendAsync(session, ending, waitedFor, cancellationToken);
            }
            await desk.ShareAsync(cancellationToken);
        }
        if (tick % TicksPerSearch == 0)
            await desk.EndForsakenAsync(cancellationToken);
    }

    [LoggerMessage(LogLevel.Warning, "Looking after the multicast sessions failed and will be repeated")]
    private partial void LogFailed(Exception exception);
}
