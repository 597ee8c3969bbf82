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
#pragma warning disable CA1031 // A full disk or a locked database passes, and the next look comes at once; nothing of this may end the server.
                catch (Exception e) when (!stoppingToken.IsCancellationRequested)
#pragma warning restore CA1031
                {
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
                try
                {
                    var waitedFor = session is { Started: false, Row: { JobId: { } job, WaitForHosts: { } wanted } } ? Math.Min(wanted, await tasks.CountActiveAsync(job, cancellationToken)) : 0;
                    await desk.TendAsync(session, ending, waitedFor, cancellationToken);
                }
#pragma warning disable CA1031 // What troubles one session must not keep the others from being looked after.
                catch (Exception e) when (!cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
                {
                    LogSessionFailed(e, session.Row.Id);
                }
            }
            await desk.ShareAsync(cancellationToken);
        }
        if (tick % TicksPerSearch == 0)
            await desk.EndForsakenAsync(cancellationToken);
    }

    [LoggerMessage(LogLevel.Warning, "Looking after the multicast sessions failed and will be repeated")]
    private partial void LogFailed(Exception exception);

    [LoggerMessage(LogLevel.Warning, "Looking after multicast session {Session} failed and will be repeated")]
    private partial void LogSessionFailed(Exception exception, long session);
}
