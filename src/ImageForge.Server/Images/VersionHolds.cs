namespace ImageForge.Server.Images;

/// <summary>Versions that work of this process counts on; forgotten when it ends, as the work is.</summary>
internal sealed class VersionHolds
{
    private readonly Lock _lock = new();
    private readonly List<Hold> _holds = [];

    public IReadOnlyList<KeepReason> Of(long version)
    {
        lock (_lock)
            return [.. _holds.Where(h => h.Version == version).Select(static h => h.Reason)];
    }

    /// <returns>Ends the hold when disposed.</returns>
    public IDisposable Add(long version, KeepReason reason)
    {
        var hold = new Hold(this, version, reason);
        lock (_lock)
            _holds.Add(hold);
        return hold;
    }

    private sealed class Hold(VersionHolds all, long version, KeepReason reason) : IDisposable
    {
        public long Version => version;

        public KeepReason Reason => reason;

        public void Dispose()
        {
            lock (all._lock)
                all._holds.Remove(this);
        }
    }
}
