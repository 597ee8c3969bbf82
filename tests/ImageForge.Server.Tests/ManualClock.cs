namespace ImageForge.Server.Tests;

/// <summary>The system's time plus what the test added; timers keep real time.</summary>
public sealed class ManualClock : TimeProvider
{
    private long _addedTicks;

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow().AddTicks(Interlocked.Read(ref _addedTicks));

    public void Advance(TimeSpan by) => Interlocked.Add(ref _addedTicks, by.Ticks);
}
