namespace ImageForge.Multicast.Sending;

/// <summary>How much a member may say. Who says more is read more slowly, so that its own connection holds it up.</summary>
internal sealed class MemberAllowance(TimeProvider time)
{
    /// <summary>Points per second: twice what the only pacer of a session says.</summary>
    private const double PerSecond = 2_000;
    private const double Most = 2 * PerSecond;
    private const int BytesPerPoint = 1024;

    /// <summary>A set of all chunks is made and compared.</summary>
    private const int Lack = 100;

    private double _points = Most;
    private long _filled = time.GetTimestamp();

    /// <summary>A WebSocket message came. How long to wait before the next one is read; less than the silence that ends a membership.</summary>
    public TimeSpan Spend(int bytes, bool hasLack)
    {
        var now = time.GetTimestamp();
        _points = Math.Min(Most, _points + (PerSecond * time.GetElapsedTime(_filled, now).TotalSeconds)) - 1 - (bytes / BytesPerPoint) - (hasLack ? Lack : 0);
        _filled = now;
        return TimeSpan.FromSeconds(Math.Clamp(-_points / PerSecond, 0, 2));
    }
}
