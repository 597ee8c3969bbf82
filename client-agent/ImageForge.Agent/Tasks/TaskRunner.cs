using ImageForge.Agent.Server;
using ImageForge.Contracts;

namespace ImageForge.Agent.Tasks;

/// <summary>Runs the one task of this boot with its heartbeat. Everything that can go wrong comes out as an outcome.</summary>
internal sealed class TaskRunner(TaskContext context, Heartbeat heartbeat)
{
    /// <summary>A disk that hangs in a read must not keep a cancelled machine from restarting.</summary>
    private static readonly TimeSpan s_graceForStopping = TimeSpan.FromSeconds(8);

    public async Task<TaskOutcome> RunAsync(TaskAssignment task, CancellationToken cancel)
    {
        using var work = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        using var done = new CancellationTokenSource();
        var beating = heartbeat.RunAsync(work, done.Token);
        TaskOutcome outcome;
        try
        {
            var running = Task.Run(() => RunKindAsync(task, work.Token), CancellationToken.None);
            await StoppedOrEndedAsync(running, work.Token);
            outcome = running.IsCompleted ? await running : TaskOutcome.Of(heartbeat.Stop ?? TaskFailures.Cancelled);
        }
        catch (OperationCanceledException) when (heartbeat.Stop is not null)
        {
            outcome = TaskOutcome.Of(heartbeat.Stop);
        }
#pragma warning disable CA1031 // The task's edge: whatever happened is reported, shown, and ends the task.
        catch (Exception e)
#pragma warning restore CA1031
        {
            // When the server stopped the task, its reason counts, not what broke while stopping.
            outcome = TaskOutcome.Of(heartbeat.Stop ?? TaskFailures.Of(e));
            if (heartbeat.Stop is null && e is not FailureException { InnerException: ServerAwayException })
                await context.Server.LogOnceAsync(e.ToString(), CancellationToken.None);
        }
        await done.CancelAsync();
        await beating;
        return outcome;
    }

    private Task<TaskOutcome> RunKindAsync(TaskAssignment task, CancellationToken cancel) => task switch
    {
        { Kind: JobKind.Capture, Capture: { } capture } => CaptureTask.RunAsync(capture, context, cancel),
        // A dry run writes nothing, neither to the disk nor to the firmware.
        { Kind: JobKind.Deploy, Deploy: { DryRun: true } look } => DeployTask.RunAsync(task.TaskId, look, context, cancel),
        { Kind: JobKind.Deploy, Deploy: { } deploy } => context.Firmware.AroundAsync(
            deploy.Choices ?? new DeployChoices(), context.Resumed, () => DeployTask.RunAsync(task.TaskId, deploy, context, cancel)),
        // The check-in has brought the inventory already.
        { Kind: JobKind.Inventory } => Task.FromResult(new TaskOutcome(HostTaskState.Succeeded, null, "The inventory is with the server.")),
        _ => throw new FailureException("unknownTask", Fault.Server, $"The server assigned a task of kind {task.Kind} without its settings.",
            "Use the agent and the server of the same release."),
    };

    private async Task StoppedOrEndedAsync(Task running, CancellationToken stop)
    {
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using (stop.Register(stopped.SetResult))
        {
            if (await Task.WhenAny(running, stopped.Task) == running)
                return;
        }
        await Task.WhenAny(running, Task.Delay(s_graceForStopping, context.Time, CancellationToken.None));
    }
}
