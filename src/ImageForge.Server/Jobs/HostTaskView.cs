using ImageForge.Contracts;
using ImageForge.Server.Hosts;
using ImageForge.Server.Multicasting;

namespace ImageForge.Server.Jobs;

/// <summary>A host task as people see it.</summary>
/// <param name="Stalled">An agent was at work and has been silent for 30 s.</param>
/// <param name="Progress">0 to 1 within the current phase; null while nothing is counted.</param>
/// <param name="Multicast">The session it is or was in, and why it heard nothing there; null: in none since the server started.</param>
internal sealed record HostTaskView(
    long Id,
    long JobId,
    string HostName,
    MacAddress? Mac,
    JobKind Kind,
    HostTaskState State,
    bool Stalled,
    bool CancelRequested,
    double? Progress,
    long BytesDone,
    long BytesTotal,
    long BytesSent,
    double BytesPerSecond,
    string? Detail,
    DeployPlan? Plan,
    string? Summary,
    Failure? Failure,
    TaskProof? Proof,
    IReadOnlyList<string> Notes,
    int ResumesWithoutProgress,
    DateTimeOffset CreatedAt,
    DateTimeOffset? StartedAt,
    DateTimeOffset? FinishedAt,
    DateTimeOffset? LastHeardAt,
    TaskMulticast? Multicast = null);

/// <param name="Events">Every change of state, oldest first.</param>
internal sealed record HostTaskDetail(HostTaskView Task, IReadOnlyList<HostTaskEvent> Events);

internal sealed class HostTaskViews(TimeProvider time, JobsOptions options, TaskMulticasts multicasts)
{
    public HostTaskView Of(HostTask task, Host? host)
    {
        var stalled = task.IsStalled(time.GetUtcNow(), options.SilentAfter);
        return new HostTaskView(
            task.Id, task.JobId, host?.Name ?? $"host {task.HostId}", host is { Macs: [var first, ..] } ? first : null, task.Kind, task.State, stalled, task.CancelRequested,
            task.BytesTotal > 0 ? Math.Clamp((double)task.BytesDone / task.BytesTotal, 0, 1) : null,
            task.BytesDone, task.BytesTotal, task.BytesSent,
            // A rate that was true half a minute ago is not a rate.
            stalled ? 0 : task.BytesPerSecond,
            task.Detail, task.Plan, task.Summary, task.Failure, task.Proof, task.Notes, task.ResumesWithoutProgress, task.CreatedAt, task.StartedAt, task.FinishedAt, task.LastHeardAt, multicasts.Of(task.Id));
    }
}
