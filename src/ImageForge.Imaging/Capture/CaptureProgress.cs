using ImageForge.Imaging.Pipelines;

namespace ImageForge.Imaging.Capture;

/// <summary>Counters of a running capture; read them from any thread as often as you like.</summary>
public sealed class CaptureProgress
{
    private long _done, _total, _sent, _read, _chunksSent, _chunksHeld;
    private int _level;
    private StageTimes? _times;

    /// <summary>Bytes of used content that are hashed and known to be with the sink.</summary>
    public long BytesDone => Interlocked.Read(ref _done);

    /// <summary>Bytes of used content to read (skipped files are not in it); 0 until the maps are read.</summary>
    public long BytesTotal => Interlocked.Read(ref _total);

    /// <summary>Bytes of frames the sink has taken.</summary>
    public long BytesSent => Interlocked.Read(ref _sent);

    public long BytesRead => Interlocked.Read(ref _read);

    public long ChunksSent => Interlocked.Read(ref _chunksSent);

    /// <summary>Data chunks that did not need sending: the sink held them, or a twin was on its way.</summary>
    public long ChunksHeld => Interlocked.Read(ref _chunksHeld);

    /// <summary>The zstd level in use; 0 until something was compressed, or where it is fixed.</summary>
    public int Level { get => Volatile.Read(ref _level); internal set => Volatile.Write(ref _level, value); }

    /// <summary>What the capture waits for most.</summary>
    public Bottleneck Bottleneck => Volatile.Read(ref _times)?.Read() ?? Bottleneck.Unknown;

    internal StageTimes Times(IRemoteTimes? remote)
    {
        var times = new StageTimes(remote, TimeProvider.System);
        Volatile.Write(ref _times, times);
        return times;
    }

    internal void SetTotal(long bytes) => Interlocked.Exchange(ref _total, bytes);

    internal void AddRead(long bytes) => Interlocked.Add(ref _read, bytes);

    internal void Done(long usedBytes) => Interlocked.Add(ref _done, usedBytes);

    internal void Held(long usedBytes)
    {
        Interlocked.Increment(ref _chunksHeld);
        Done(usedBytes);
    }

    internal void Sent(long usedBytes, long frameBytes)
    {
        Interlocked.Add(ref _sent, frameBytes);
        Interlocked.Increment(ref _chunksSent);
        Done(usedBytes);
    }
}
