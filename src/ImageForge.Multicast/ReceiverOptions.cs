using System.Net;

namespace ImageForge.Multicast;

/// <summary>How a member listens.</summary>
/// <param name="InterfaceName">Interface that hears the group; null: the system's choice.</param>
/// <param name="InterfaceIndex">Its index; 0: the system's choice.</param>
/// <param name="LocalAddress">Its IPv4 address, for the membership; null: by index.</param>
/// <param name="Patience">Without a packet for so long while the stream runs, the member goes on over HTTP.</param>
/// <param name="ClockScale">Multiplies the times of the protocol, for slow emulated machines.</param>
/// <param name="SocketBytes">Receive buffer to ask the kernel for.</param>
/// <param name="BlockBytes">Bytes of blocks that may wait for repair at once; where frames are long it is three of the longest.</param>
public sealed record ReceiverOptions(
    string? InterfaceName,
    int InterfaceIndex,
    IPAddress? LocalAddress,
    TimeSpan Patience,
    double ClockScale = 1,
    int SocketBytes = 16 << 20,
    int BlockBytes = 24 << 20);
