using ImageForge.Contracts;

namespace ImageForge.Agent.Tasks;

/// <param name="Done">Bytes of used content done in this phase.</param>
/// <param name="Total">Bytes of used content of this phase, 0 while unknown.</param>
internal readonly record struct PhaseReading(HostTaskState State, long Done, long Total, string? Detail = null);

/// <summary>How far the task is: a fixed phase, or an engine's counters read whenever somebody asks. The task writes, heartbeat and screen read.</summary>
internal sealed class TaskProgress
{
    private Func<PhaseReading> _read = () => new PhaseReading(HostTaskState.CheckedIn, 0, 0);

    /// <summary>Enters a phase without bytes to count.</summary>
    public void Begin(HostTaskState state, string? detail = null) => Follow(() => new PhaseReading(state, 0, 0, detail));

    /// <summary>From now on the phase and its bytes are what <paramref name="read"/> returns; it is called from any thread.</summary>
    public void Follow(Func<PhaseReading> read) => Volatile.Write(ref _read, read);

    public PhaseReading Read() => Volatile.Read(ref _read)();
}
