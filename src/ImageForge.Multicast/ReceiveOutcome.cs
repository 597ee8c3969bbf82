namespace ImageForge.Multicast;

public enum ReceiveEnd
{
    /// <summary>Every chunk was handed to the sink.</summary>
    Complete,

    /// <summary>The rest comes over HTTP: little is lacking, or the stream cannot give it.</summary>
    GoOnOverHttp,

    /// <summary>The stream runs and no packet of it arrives; <see cref="ReceiveFacts"/> help to say why.</summary>
    NothingHeard,

    /// <summary>The session was stopped: over HTTP.</summary>
    Stopped,

    /// <summary>The connection broke: join again with what is lacking then.</summary>
    ChannelLost,
}

/// <summary>How receiving ended.</summary>
/// <param name="Lacking">Chunks that were not handed to the sink, and those that it refused.</param>
public sealed record ReceiveOutcome(ReceiveEnd End, ChunkSet Lacking, ReceiverFigures Figures, ReceiveFacts Facts);

/// <summary>What a member knows about a stream that did not reach it.</summary>
/// <param name="Group">Group and port it listened to; null: no welcome came.</param>
/// <param name="Joined">The kernel holds a membership of the group on the interface.</param>
/// <param name="SocketError">Why it could not listen; null: it could.</param>
/// <param name="Strangers">Packets of other length or with another tag that reached the socket.</param>
/// <param name="Refused">Packets with our tag that did not verify.</param>
/// <param name="Verified">Packets that did.</param>
/// <param name="LastHeard">Since the last packet that verified; null: none ever.</param>
public sealed record ReceiveFacts(GroupEndpoint? Group, bool Joined, string? SocketError, long Strangers, long Refused, long Verified, TimeSpan? LastHeard);

/// <summary>A receiver at one moment.</summary>
/// <param name="BitsPerSecond">Of verified packets, headers included, over the last second or so.</param>
/// <param name="Missed">Packets that did not arrive, drops included.</param>
/// <param name="SocketDrops">Packets the kernel dropped for want of room in the socket.</param>
/// <param name="Waiting">Non-null before a scheduled start.</param>
public sealed record ReceiverFigures(
    double BitsPerSecond,
    long Verified,
    long Missed,
    long Refused,
    long SocketDrops,
    int BlocksTurnedAway,
    int ChunksLacking,
    int Pass,
    bool InStep,
    MemberLimit Limit,
    WaitingForStart? Waiting)
{
    /// <summary>Packets of parity per packet of fragments that verified, whether this member needed them or another.</summary>
    public double RepairShare { get; init; }
}

/// <param name="Members">Here already.</param>
/// <param name="WaitFor">Members that the start waits for.</param>
/// <param name="Left">Until it starts anyway; null: no such time.</param>
public sealed record WaitingForStart(int Members, int WaitFor, TimeSpan? Left);
