using System.Net;
using System.Net.Sockets;

namespace ImageForge.Multicast.Sockets;

/// <param name="Group">Where packets go.</param>
/// <param name="InterfaceIndex">The interface they leave by; 0: that of the address, else as the routes say.</param>
/// <param name="LocalAddress">The source address, of the group's family; null: the interface's own.</param>
/// <param name="Ttl">Hops at most, 1 to 255.</param>
/// <param name="PacketBytes">Bytes of every packet.</param>
/// <param name="Batch">Packets given to the kernel in one call, 1 to 64.</param>
/// <param name="Loopback">Receivers on this machine hear it too.</param>
public sealed record SendSocketOptions(GroupEndpoint Group, int InterfaceIndex, IPAddress? LocalAddress, int Ttl, int PacketBytes, int Batch, bool Loopback = false);

/// <summary>
/// Sends many packets with one call where the kernel cuts them up (UDP_SEGMENT, Linux 4.18), and one by one where it, or the network card,
/// does not. Used by one thread at a time.
/// </summary>
public sealed class MulticastSendSocket : IDisposable
{
    /// <summary>Largest UDP payload that both IPv4 and IPv6 carry, less what an IPv4 header with options may take.</summary>
    private const int LargestCall = 65_000;

    /// <summary>Segments that a call may have (linux/udp.h, UDP_MAX_SEGMENTS; 64 before Linux 6.9).</summary>
    private const int MostSegments = 64;

    private readonly Socket _socket;
    private readonly SocketAddress _to;
    private readonly int _packetBytes;

    /// <exception cref="SocketException">There is no such interface or address.</exception>
    public MulticastSendSocket(SendSocketOptions options)
    {
        var (group, index) = (options.Group, options.InterfaceIndex);
        _packetBytes = options.PacketBytes;
        Batch = Math.Clamp(options.Batch, 1, Math.Min(MostSegments, Math.Max(1, LargestCall / options.PacketBytes)));
        _socket = new Socket(group.Group.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            var ipv6 = group.Group.AddressFamily == AddressFamily.InterNetworkV6;
            var level = ipv6 ? SocketOptionLevel.IPv6 : SocketOptionLevel.IP;
            _socket.SetSocketOption(level, SocketOptionName.MulticastTimeToLive, options.Ttl);
            _socket.SetSocketOption(level, SocketOptionName.MulticastLoopback, options.Loopback);
            if (index > 0)
                // IPv4 takes an interface number in network order where it takes an address.
                _socket.SetSocketOption(level, SocketOptionName.MulticastInterface, ipv6 ? index : IPAddress.HostToNetworkOrder(index));
            else if (options.LocalAddress is { } address && !ipv6)
                _socket.SetSocketOption(level, SocketOptionName.MulticastInterface, address.GetAddressBytes());
            if (options.LocalAddress is { } local)
                _socket.Bind(new IPEndPoint(local, 0));
            // A batch or two wait here while the card is busy; more would only be delay that the pace does not see.
            if (!_socket.TrySet(LibC.SOL_SOCKET, LibC.SO_SNDBUFFORCE, 1 << 20))
                _socket.SendBufferSize = 1 << 20;
            _to = new IPEndPoint(group.Group, group.Port).Serialize();
            Segments = Batch > 1 && _socket.TrySet(LibC.SOL_UDP, LibC.UDP_SEGMENT, _packetBytes);
        }
        catch
        {
            _socket.Dispose();
            throw;
        }
    }

    /// <summary>Packets that one call takes at most.</summary>
    public int Batch { get; }

    /// <summary>The kernel cuts batches up. Becomes false for good at the first batch that it refuses.</summary>
    public bool Segments { get; private set; }

    /// <summary>Packets that the kernel did not take: no link, no route, no buffer. Receivers miss them like any lost packet.</summary>
    public long NotSent { get; private set; }

    /// <summary>What the kernel said when it last refused; null: it never did.</summary>
    public SocketError? LastError { get; private set; }

    /// <summary>Sends whole packets that stand one after another, <see cref="Batch"/> at most. False: some were not taken.</summary>
    public bool Send(ReadOnlySpan<byte> packets)
    {
        if (Segments && packets.Length > _packetBytes)
        {
            try
            {
                _socket.SendTo(packets, SocketFlags.None, _to);
                return true;
            }
            catch (SocketException e) when (e.NativeErrorCode is LibC.EINVAL or LibC.EIO or LibC.EMSGSIZE or LibC.ENOPROTOOPT)
            {
                // A card without checksum offload (EIO), an interface with a smaller MTU (EINVAL), an old kernel.
                Segments = false;
                _socket.TrySet(LibC.SOL_UDP, LibC.UDP_SEGMENT, 0);
            }
            catch (SocketException e)
            {
                return Missed(packets.Length / _packetBytes, e);
            }
        }
        var all = true;
        for (var at = 0; at < packets.Length; at += _packetBytes)
        {
            try
            {
                _socket.SendTo(packets.Slice(at, _packetBytes), SocketFlags.None, _to);
            }
            catch (SocketException e)
            {
                all = Missed(1, e);
            }
        }
        return all;
    }

    public void Dispose() => _socket.Dispose();

    private bool Missed(int packets, SocketException error)
    {
        NotSent += packets;
        LastError = error.SocketErrorCode;
        return false;
    }
}
