using ImageForge.Contracts;
using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Disks;

namespace ImageForge.Imaging.Deploy;

/// <param name="ReadBack">Read everything written back from the device and compare.</param>
/// <param name="HostTaskId">Recorded in the resume record.</param>
/// <param name="FetchesInFlight">Chunks being fetched at the same time.</param>
public sealed record DeployOptions(bool ReadBack = true, long HostTaskId = 0, int FetchesInFlight = 6);

public enum DeployPhase { Preparing, Transferring, Verifying, Finishing }

/// <summary>Counters of a running deploy; read them from any thread as often as you like.</summary>
public sealed class DeployProgress
{
    private int _phase;
    private long _done, _total, _fetched, _written, _kept, _compared;

    public DeployPhase Phase => (DeployPhase)Volatile.Read(ref _phase);
    /// <summary>Bytes of used content done in this phase.</summary>
    public long BytesDone => Interlocked.Read(ref _done);
    /// <summary>Bytes of used content of this phase.</summary>
    public long BytesTotal => Interlocked.Read(ref _total);
    /// <summary>Bytes of frames fetched, all phases.</summary>
    public long BytesFetched => Interlocked.Read(ref _fetched);
    public long BytesWritten => Interlocked.Read(ref _written);
    /// <summary>Used bytes that were already right on the disk.</summary>
    public long BytesKept => Interlocked.Read(ref _kept);
    /// <summary>Bytes read to find out what is already on the disk; 0 on a blank one.</summary>
    public long BytesCompared => Interlocked.Read(ref _compared);

    internal void Enter(DeployPhase phase, long total)
    {
        Interlocked.Exchange(ref _done, 0);
        Interlocked.Exchange(ref _total, total);
        Volatile.Write(ref _phase, (int)phase);
    }

    internal void AddDone(long bytes) => Interlocked.Add(ref _done, bytes);
    internal void AddFetched(long bytes) => Interlocked.Add(ref _fetched, bytes);
    internal void AddWritten(long bytes) => Interlocked.Add(ref _written, bytes);
    internal void AddKept(long bytes) => Interlocked.Add(ref _kept, bytes);
    internal void AddCompared(long bytes) => Interlocked.Add(ref _compared, bytes);
}

/// <summary>Writes an image onto a disk so that a half-written disk can never boot. One instance per run.</summary>
public sealed class DeployEngine(IBlockDevice target, IChunkSource source, WritePlan plan, DeployOptions options)
{
    public DeployProgress Progress { get; } = new();

    /// <summary>Returns once the whole image is durable on the disk and its tables are in place.</summary>
    /// <exception cref="FailureException"><c>chunkCorrupt</c>, <c>chunkMissing</c> (Image), <c>diskWriteFailed</c>, <c>diskReadFailed</c>, <c>diskVanished</c>, <c>readBackMismatch</c> (Disk), or what the source threw.</exception>
    public Task RunAsync(CancellationToken cancel) => throw new NotImplementedException($"{target}{source}{plan}{options}");
}
