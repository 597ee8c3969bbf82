using ImageForge.Contracts;

namespace ImageForge.Agent.Tasks;

/// <summary>How far the task is. The task's own threads write, the heartbeat and the screen read.</summary>
internal sealed class TaskProgress
{
    private readonly Lock _lock = new();
    private HostTaskState _state = HostTaskState.CheckedIn;
    private string? _detail;
    private long _done;
    private long _total;

    public HostTaskState State
    {
        get { lock (_lock) return _state; }
    }

    /// <summary>Enters a phase; its bytes start at zero.</summary>
    public void Begin(HostTaskState state, long totalBytes = 0, string? detail = null)
    {
        lock (_lock)
            (_state, _done, _total, _detail) = (state, 0, totalBytes, detail);
    }

    public void Set(long doneBytes, long totalBytes)
    {
        lock (_lock)
            (_done, _total) = (doneBytes, totalBytes);
    }

    public void Say(string? detail)
    {
        lock (_lock)
            _detail = detail;
    }

    public (HostTaskState State, long Done, long Total, string? Detail) Read()
    {
        lock (_lock)
            return (_state, _done, _total, _detail);
    }
}
