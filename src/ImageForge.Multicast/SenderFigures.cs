namespace ImageForge.Multicast;

public enum SenderState
{
    /// <summary>Scheduled-cast before its start.</summary>
    Waiting,
    Sending,

    /// <summary>Nobody is there, or nobody lacks anything that a stream could give.</summary>
    Idle,
    Ended,
}

/// <summary>What a member says holds it up.</summary>
public enum MemberLimit
{
    None,
    Disk,
    Network,
    Processor,
}

/// <summary>How a member's time in a session ended.</summary>
public enum MemberEnd
{
    /// <summary>It has every chunk.</summary>
    Complete,

    /// <summary>It fetches the rest over HTTP, at its own or the sender's wish.</summary>
    GoesOnOverHttp,

    /// <summary>No packet reached it.</summary>
    HeardNothing,

    /// <summary>It or the session was stopped.</summary>
    Stopped,

    /// <summary>Its connection broke.</summary>
    Lost,

    /// <summary>It said nothing for three seconds and was forgotten.</summary>
    Silent,

    /// <summary>It does not speak the protocol.</summary>
    Refused,
}

/// <summary>A sender at one moment.</summary>
/// <param name="BitsPerSecond">On the wire, headers included, over the last second or so.</param>
/// <param name="BytesSent">Since the sender began, headers included.</param>
/// <param name="RepairShare">Bytes of parity per byte of fragments, 0 to 1.</param>
/// <param name="Pass">From 1; 0 before the start.</param>
/// <param name="ChunksDone">Chunks that no present member lacks.</param>
/// <param name="Refused">Messages of members that made no sense.</param>
/// <param name="Left">Until the last member has what it lacks, at the present rates; null: unknown.</param>
/// <param name="Epoch">The present key's number; later senders start above it.</param>
/// <param name="NotTaken">Share of the packets lately that our own kernel did not take, 0 to 1: they were never in the network.</param>
/// <param name="SendError">What it said when it last did so; null: it never did.</param>
public sealed record SenderFigures(
    SenderState State,
    double BitsPerSecond,
    long BytesSent,
    double RepairShare,
    int Pass,
    int ChunksDone,
    int Chunks,
    long Refused,
    TimeSpan? Left,
    uint Epoch,
    double NotTaken,
    string? SendError,
    IReadOnlyList<MemberFigures> Members);

/// <summary>A member as its sender sees it.</summary>
/// <param name="Number">Its number in the session.</param>
/// <param name="Name">As given to <see cref="MulticastSender.ServeAsync"/>.</param>
/// <param name="BitsPerSecond">That reach it and verify, over the last second or so.</param>
/// <param name="Loss">Share of packets that did not reach its program lately, 0 to 1, drops of its socket included.</param>
/// <param name="SocketDrops">Packets its own kernel dropped for want of room, since it joined.</param>
/// <param name="WaitingBytes">Plain bytes that wait for its disk.</param>
/// <param name="Left">Until it has what it lacks, at the present rates; null: unknown.</param>
/// <param name="InStep">The pace waits for it.</param>
/// <param name="Pacer">It reports often.</param>
public sealed record MemberFigures(
    int Number,
    string Name,
    double BitsPerSecond,
    double Loss,
    long SocketDrops,
    long WaitingBytes,
    int ChunksLacking,
    TimeSpan? Left,
    bool InStep,
    bool Pacer,
    MemberLimit Limit);
