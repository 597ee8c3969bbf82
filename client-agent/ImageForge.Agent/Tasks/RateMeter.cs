using ImageForge.Contracts;

namespace ImageForge.Agent.Tasks;

/// <summary>Bytes per second over the last ten samples, taken once a second; starts again with every phase.</summary>
internal sealed class RateMeter(TimeProvider time)
{
    private const int MostSamples = 10;
    private readonly Queue<(long At, long Bytes)> _samples = new();
    private HostTaskState? _phase;

    public double BytesPerSecond { get; private set; }

    public void Sample(HostTaskState phase, long bytesDone)
    {
        if (phase != _phase || (_samples.Count > 0 && bytesDone < _samples.Last().Bytes))
            _samples.Clear();
        _phase = phase;
        var now = time.GetTimestamp();
        _samples.Enqueue((now, bytesDone));
        if (_samples.Count > MostSamples)
            _samples.Dequeue();
        var (at, bytes) = _samples.Peek();
        var seconds = time.GetElapsedTime(at, now).TotalSeconds;
        BytesPerSecond = seconds > 0.1 ? (bytesDone - bytes) / seconds : 0;
    }

    /// <summary>Time to the end of the phase at this rate, null when nothing can be said.</summary>
    public TimeSpan? Remaining(long done, long total) =>
        BytesPerSecond > 1 && total > done ? TimeSpan.FromSeconds(Math.Min((total - done) / BytesPerSecond, 359_999)) : null;
}
