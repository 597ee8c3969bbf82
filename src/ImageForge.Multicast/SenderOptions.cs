using System.Net;

namespace ImageForge.Multicast;

/// <summary>When a session begins to send.</summary>
/// <param name="WaitFor">Members to wait for.</param>
/// <param name="Until">Begins then, by the sender's clock, with whoever is there; null: waits for the members however long.</param>
public sealed record StartRule(int WaitFor, DateTimeOffset? Until)
{
    /// <summary>Auto-cast: with the first member.</summary>
    public static StartRule FirstHost { get; } = new(1, null);

    /// <summary>Scheduled-cast.</summary>
    public static StartRule Scheduled(int waitFor, DateTimeOffset? until) => new(waitFor, until);
}

/// <summary>How a session sends.</summary>
/// <param name="LocalAddress">Address of the interface to send on; null: what the route to the group says.</param>
/// <param name="InterfaceIndex">Interface to send on; 0: by <paramref name="LocalAddress"/> or by route.</param>
/// <param name="FragmentBytes">F of the protocol, a multiple of 64: MTU less 28 (IPv4 and UDP) or 48 (IPv6 and UDP), less 44, rounded down.</param>
/// <param name="Batch">Packets per segmentation-offload call, 1 to 64; packets of the batch together at most 65,507 bytes.</param>
/// <param name="Epoch">Greater than that of each earlier sender of the session.</param>
/// <param name="BitsPerSecond">Most to send, with headers; null: as fast as the majority takes it.</param>
/// <param name="Loopback">Receivers on the sender's own machine hear it, too.</param>
public sealed record SenderOptions(
    GroupEndpoint Group,
    IPAddress? LocalAddress,
    int InterfaceIndex,
    int Ttl,
    int FragmentBytes,
    int Batch,
    uint Epoch,
    double? BitsPerSecond,
    StartRule Start,
    bool Loopback = false);
