using ImageForge.Server.Hosts;

namespace ImageForge.Server.Boot;

/// <summary>Writes sightings to the hosts table in batches, off the request path.</summary>
internal sealed partial class SightingWriterService(SightingQueue queue, HostStore hosts, TimeProvider time, ILogger<SightingWriterService> logger) : BackgroundService
{
    // Small enough that a batch holds the database's one writer only for a few milliseconds.
    private const int BatchSize = 256;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await hosts.RecordSightingsAsync(await queue.TakeAsync(BatchSize, stoppingToken), stoppingToken);
                await Task.Delay(Pause, time, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                LogNotWritten(logger, e);
                await Task.Delay(TimeSpan.FromSeconds(1), time, CancellationToken.None);
            }
        }
    }
}
