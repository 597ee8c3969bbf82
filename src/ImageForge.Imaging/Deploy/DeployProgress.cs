using ImageForge.Imaging.Pipelines;

namespace ImageForge.Imaging.Deploy;

/// <summary>Counters of a running deploy; read them from any thread as often as you like.</summary>
public sealed class DeployProgress
{
    private int _phase;
    private long _done, _total, _fetched, _arrived, _written, _kept, _compared, _sampled;
    private StageTimes? _times;

    public DeployPhase Phase => (DeployPhase)Volatile.Read(ref _phase);

    /// <summary>Bytes of used content done in this phase.</summary>
    public long BytesDone => Interlocked.Read(ref _done);

    /// <summary>Bytes of used content of this phase.</summary>
    public long BytesTotal => Interlocked.Read(ref _total);

    /// <summary>Bytes of frames fetched one by one, all phases.</summary>
    public long BytesFetched => Interlocked.Read(ref _fetched);

    /// <summary>Bytes of frames that a stream brought; in an image of several disks all of them count for the first.</summary>
    public long BytesArrived => Interlocked.Read(ref _arrived);

    /// <summary>Bytes of used content written, data and zeros.</summary>
    public long BytesWritten => Interlocked.Read(ref _written);

    /// <summary>Used bytes that were already right on the disk.</summary>
    public long BytesKept => Interlocked.Read(ref _kept);

    /// <summary>Bytes read to keep what is already right on the disk; 0 on a disk that is blank or holds something else.</summary>
    public long BytesCompared => Interlocked.Read(ref _compared);

    /// <summary>What the deploy waits for most.</summary>
    public Bottleneck Bottleneck => Volatile.Read(ref _times)?.Read() ?? Bottleneck.Unknown;

    internal StageTimes Times(IRemoteTimes? remote)
    {
        var times = new StageTimes(remote, TimeProvider.System);
        Volatile.Write(ref _times, times);
        return times;
    }

    internal void Enter(DeployPhase phase, long total)
    {
        Interlocked.Exchange(ref _done, 0);
        Interlocked.Exchange(ref _total, total);
        Volatile.Write(ref _phase, (int)phase);
    }

    internal void AddArrived(long bytes) => Interlocked.Add(ref _arrived, bytes);

    internal void AddFetched(long bytes) => Interlocked.Add(ref _fetched, bytes);

    /// <summary>Bytes read to find out whether comparing this disk is worth it.</summary>
    public long BytesSampled => Interlocked.Read(ref _sampled);

    internal void AddSampled(long bytes) => Interlocked.Add(ref _sampled, bytes);

    internal void AddCompared(long bytes) => Interlocked.Add(ref _compared, bytes);

    internal void AddVerified(long bytes) => Interlocked.Add(ref _done, bytes);

    internal void AddWritten(long bytes)
    {
        Interlocked.Add(ref _written, bytes);
        Interlocked.Add(ref _done, bytes);
    }

    internal void AddKept(long bytes)
    {
        Interlocked.Add(ref _kept, bytes);
        Interlocked.Add(ref _done, bytes);
    }
}
