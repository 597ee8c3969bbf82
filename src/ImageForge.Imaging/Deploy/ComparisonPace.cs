namespace ImageForge.Imaging.Deploy;

/// <summary>
/// Decides whether comparing the next chunks is worth their read. A deploy that was cut has a front: right before it, wrong after
/// it, mixed near it. After a long row of misses only samples are compared until one hits again. Thread-safe.
/// </summary>
internal sealed class ComparisonPace
{
    /// <summary>Bytes that were all wrong before only samples are read.</summary>
    private const long MissedBeforeSampling = 64L << 20;

    private const int SampleEvery = 16;

    private readonly Lock _lock = new();
    private long _missed;
    private int _skipped;

    public bool WantsNext()
    {
        lock (_lock)
            return _missed < MissedBeforeSampling || ++_skipped % SampleEvery == 0;
    }

    /// <param name="right">Some of it was.</param>
    public void Tell(bool right, long bytes)
    {
        lock (_lock)
            _missed = right ? 0 : _missed + bytes;
    }
}
