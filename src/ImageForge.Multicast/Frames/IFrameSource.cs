namespace ImageForge.Multicast.Frames;

/// <summary>Where a sender gets stored frames.</summary>
public interface IFrameSource
{
    /// <summary>Reads the stored zstd frame of a chunk and returns its length; 0: it cannot be had, and members fetch it by themselves.</summary>
    ValueTask<int> ReadFrameAsync(int chunk, Memory<byte> frame, CancellationToken cancel);
}

/// <summary>Where a receiver puts frames. Called by one thread at a time.</summary>
public interface IFrameSink
{
    /// <summary>False: a block more would have to wait, because disk or processor are behind.</summary>
    bool HasRoom { get; }

    /// <summary>What is behind when there is no room: disk or processor; none: neither, the frame itself is long.</summary>
    MemberLimit Behind => MemberLimit.Disk;

    /// <summary>Plain bytes accepted and not yet written.</summary>
    long WaitingBytes { get; }

    /// <summary>
    /// Takes a frame, which is the caller's again when the call returns, or waits for room. Verification happens behind it; a frame that turns out wrong
    /// is told through <see cref="Refused"/>.
    /// </summary>
    ValueTask TakeAsync(int chunk, ReadOnlyMemory<byte> frame, CancellationToken cancel);

    /// <summary>Chunks whose frame decompressed or hashed wrong since the last call: from then on they are fetched over HTTP only.</summary>
    IReadOnlyList<int> Refused();
}
