namespace ImageForge.Agent.Server;

/// <summary>Waits before the next attempt: doubling from half a second to ten, each between 50 and 100 % of that, so that a room of machines does not return at once.</summary>
internal sealed class Backoff(Random random)
{
    private static readonly TimeSpan s_first = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan s_most = TimeSpan.FromSeconds(10);
    private TimeSpan _next = s_first;

    public TimeSpan Next()
    {
        var wait = _next * (0.5 + 0.5 * random.NextDouble());
        _next = _next * 2 < s_most ? _next * 2 : s_most;
        return wait;
    }
}
