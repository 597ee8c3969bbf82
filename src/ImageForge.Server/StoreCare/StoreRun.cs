namespace ImageForge.Server.StoreCare;

internal enum StoreRunKind { Sweep, Verification }

internal enum StoreRunState
{
    Running,
    Done,
    Cancelled,

    /// <summary>It could not do its work; the progress says why.</summary>
    Failed,

    /// <summary>The server ended meanwhile. A verification goes on at the next start, a sweep begins anew when it is due.</summary>
    Interrupted,
}

/// <summary>One sweep or verification, running or past.</summary>
/// <param name="StartedBy">A person or token; <c>schedule</c> for the nightly sweep.</param>
internal sealed record StoreRun<TRequest, TProgress>(
    long Id, StoreRunState State, string StartedBy, DateTimeOffset StartedAt, DateTimeOffset? EndedAt, TRequest Request, TProgress Progress);
