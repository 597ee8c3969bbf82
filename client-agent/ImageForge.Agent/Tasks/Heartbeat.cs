using ImageForge.Agent.Server;
using ImageForge.Contracts;

namespace ImageForge.Agent.Tasks;

/// <summary>
/// Reports progress once a second, which is also the sign of life, and ends the work when the server says so.
/// A report that is lost is not repeated: the next one says more.
/// </summary>
internal sealed class Heartbeat(AgentServer server, TaskProgress progress, Traffic traffic, RateMeter rate, TimeProvider time)
{
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(1);

    /// <summary>Why the work was ended from here; null while it was not.</summary>
    public Failure? Stop { get; private set; }

    /// <summary>Runs until <paramref name="done"/>; cancels <paramref name="work"/> when the server cancels or refuses the task.</summary>
    public async Task RunAsync(CancellationTokenSource work, CancellationToken done)
    {
        while (!done.IsCancellationRequested)
        {
            try
            {
                var reply = await server.ReportOnceAsync(Report(), done);
                if (reply.Cancelled)
                    Stop = TaskFailures.Cancelled;
            }
            catch (ServerAwayException)
            {
                // The calls that need the server wait for it; work on the disk goes on meanwhile.
            }
            catch (FailureException refused)
            {
                Stop = refused.Failure;
            }
            catch (OperationCanceledException)
            {
                return;
            }
            if (Stop is not null)
            {
                await work.CancelAsync();
                return;
            }
            try
            {
                await Task.Delay(s_interval, time, done);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private ProgressReport Report()
    {
        var (state, bytesDone, total, detail) = progress.Read();
        return new ProgressReport(state, bytesDone, total, traffic.Sent + traffic.Received, rate.BytesPerSecond, detail);
    }
}
