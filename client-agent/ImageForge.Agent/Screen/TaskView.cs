using ImageForge.Contracts;

namespace ImageForge.Agent.Screen;

/// <summary>Everything a screen can show at one moment.</summary>
/// <param name="Facts">Lines about the machine and the plan, such as the disk that will be erased.</param>
/// <param name="Waiting">Why nothing happens, for example that the server does not answer; null when something does.</param>
internal sealed record TaskView(
    string? HostName,
    string Server,
    string Job,
    HostTaskState State,
    long BytesDone,
    long BytesTotal,
    double BytesPerSecond,
    TimeSpan? Remaining,
    string? Detail,
    IReadOnlyList<string> Facts,
    string? Waiting,
    Failure? Failure,
    string? Ending)
{
    /// <summary>What people should know although the work goes on; null: nothing.</summary>
    public string? Notice { get; init; }

    public int? Percent => BytesTotal > 0 ? (int)Math.Clamp(100.0 * BytesDone / BytesTotal, 0, 100) : null;
}
