namespace ImageForge.Imaging.Pipelines;

/// <summary>What a task waits for most.</summary>
public enum Bottleneck
{
    /// <summary>Too little has happened yet.</summary>
    Unknown,

    Disk,

    /// <summary>Hashing, compressing and decompressing.</summary>
    Cpu,

    Network,

    /// <summary>The server, or the store where there is no server.</summary>
    Server,
}

/// <summary>A way to chunks over a network that knows how much of its time the other side used itself.</summary>
public interface IRemoteTimes
{
    /// <summary>Time that requests spent inside the server, all together.</summary>
    TimeSpan ServerTime { get; }
}

/// <summary>
/// How long the workers of each stage were at work, as opposed to waiting for one another. The stage whose workers are never idle
/// is the one that all others wait for. Thread-safe.
/// </summary>
/// <param name="remote">Null: the store is local, its time counts as the server's.</param>
internal sealed class StageTimes(IRemoteTimes? remote, TimeProvider time)
{
    private static readonly TimeSpan s_window = TimeSpan.FromSeconds(1);

    /// <summary>Below this share of its time the busiest stage is not what the others wait for.</summary>
    private const double Busy = 0.4;

    private readonly long[] _ticks = new long[3];
    private readonly int[] _workers = [1, 1, 1];
    private readonly Lock _lock = new();
    private long[] _before = new long[4];
    private long _beforeAt = time.GetTimestamp();
    private Bottleneck _answer;

    public enum Stage { Disk, Cpu, Transfer }

    public void SetWorkers(int disk, int cpu, int transfer) => (_workers[0], _workers[1], _workers[2]) = (disk, cpu, transfer);

    public long Now => time.GetTimestamp();

    /// <summary>Counts the time since <paramref name="started"/> and returns the time of now.</summary>
    public long Add(Stage stage, long started)
    {
        var now = time.GetTimestamp();
        Interlocked.Add(ref _ticks[(int)stage], now - started);
        return now;
    }

    /// <summary>Over the last second or more; asked about once a second.</summary>
    public Bottleneck Read()
    {
        lock (_lock)
        {
            var now = time.GetTimestamp();
            if (time.GetElapsedTime(_beforeAt, now) < s_window)
                return _answer;
            long[] current = [.. _ticks.Select((_, i) => Interlocked.Read(ref _ticks[i])), remote is null ? 0 : (long)(remote.ServerTime.TotalSeconds * time.TimestampFrequency)];
            var busy = new double[4];
            for (var i = 0; i < 4; i++)
                busy[i] = (current[i] - _before[i]) / (double)(now - _beforeAt) / _workers[Math.Min(i, 2)];
            (_before, _beforeAt) = (current, now);
            var most = Array.IndexOf(busy, busy.Take(3).Max());
            return _answer = busy[most] < Busy ? Bottleneck.Unknown : (Stage)most switch
            {
                Stage.Disk => Bottleneck.Disk,
                Stage.Cpu => Bottleneck.Cpu,
                _ when remote is null || busy[3] > busy[2] / 2 => Bottleneck.Server,
                _ => Bottleneck.Network,
            };
        }
    }
}
