namespace ImageForge.Server.Jobs;

/// <summary>Section <c>ImageForge:Jobs</c>. A lab of slow emulated machines stretches these.</summary>
internal sealed class JobsOptions
{
    /// <summary>After this long without a sign of life a task is shown as stalled, and ends if it was to be cancelled.</summary>
    public int SilentSeconds { get; set; } = 30;

    public int SweepSeconds { get; set; } = 5;

    public TimeSpan SilentAfter => TimeSpan.FromSeconds(SilentSeconds);
}
