using ImageForge.Contracts;

namespace ImageForge.Server.Jobs;

/// <summary>One host's part of a job. The task token's hash stays in the database.</summary>
/// <param name="Detail">The agent's own words about what it is doing.</param>
/// <param name="BytesDone">Of used content of the current phase.</param>
/// <param name="BytesSent">On the wire on this boot, after compression.</param>
/// <param name="TargetDisk">The disk the first check-in settled on; a resume must name the same.</param>
/// <param name="Proof">What a successful capture or deploy stands for.</param>
/// <param name="Notes">The agent's remarks at the end: boot entries, firmware.</param>
/// <param name="ResumesWithoutProgress">Check-ins in a row that got no further than the one before.</param>
internal sealed record HostTask(
    long Id,
    long JobId,
    long HostId,
    JobKind Kind,
    HostTaskState State,
    DateTimeOffset CreatedAt,
    DateTimeOffset? StartedAt,
    DateTimeOffset? FinishedAt,
    DateTimeOffset? LastHeardAt,
    string? Detail,
    long BytesDone,
    long BytesTotal,
    long BytesSent,
    double BytesPerSecond,
    DeployPlan? Plan,
    string? Summary,
    Failure? Failure,
    bool CancelRequested,
    string? TargetDisk,
    string? CheckedInUuid,
    string? CheckedInSerial,
    int ResumesWithoutProgress,
    TaskProof? Proof,
    IReadOnlyList<string> Notes)
{
    /// <summary>An agent was at work and has been silent for too long. Derived, never stored.</summary>
    public bool IsStalled(DateTimeOffset now, TimeSpan silentAfter) =>
        State is >= HostTaskState.CheckedIn and <= HostTaskState.Finishing && LastHeardAt is { } heard && now - heard > silentAfter;
}

internal sealed record HostTaskEvent(DateTimeOffset At, HostTaskState State, string Text);
