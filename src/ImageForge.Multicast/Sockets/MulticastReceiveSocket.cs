using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace ImageForge.Multicast.Sockets;

/// <param name="Group">What to hear.</param>
/// <param name="InterfaceIndex">The interface to join on; 0: that of the address, else as the routes say.</param>
/// <param name="LocalAddress">An IPv4 address of the interface; null: none is known.</param>
/// <param name="PacketBytes">Bytes of every packet.</param>
/// <param name="BufferBytes">Kernel memory asked for. A packet costs about 2.3 kB of it, a batch whole less.</param>
public sealed record ReceiveSocketOptions(GroupEndpoint Group, int InterfaceIndex, IPAddress? LocalAddress, int PacketBytes, int BufferBytes = 16 << 20);

/// <summary>
/// Hears one group on one interface, many packets per call: several datagrams at once, each of which the kernel may have put together from
/// packets of one sender (UDP_GRO, Linux 5.0). Used by one thread at a time.
/// </summary>
public sealed unsafe class MulticastReceiveSocket : IDisposable
{
    /// <summary>Datagrams of one call at most.</summary>
    private const int Datagrams = 64;

    /// <summary>
    /// Room for a datagram that the kernel joined; memory is touched only where data arrives. Not a power of two: the starts of all of them
    /// would meet in the same few lines of the processor's caches.
    /// </summary>
    private const int JoinedBytes = (64 << 10) + 2112;

    private readonly Socket _socket;
    private readonly int _packetBytes;
    private readonly int _datagrams;
    private readonly int _room;
    private readonly byte* _memory;
    private readonly LibC.Message* _messages;
    private readonly LibC.Vector* _vectors;
    private readonly List<(int Offset, int Length)> _packets = [];
    private bool _freed;

    /// <exception cref="SocketException">There is no such interface, or it cannot be joined.</exception>
    public MulticastReceiveSocket(ReceiveSocketOptions options)
    {
        var group = options.Group;
        _packetBytes = options.PacketBytes;
        _socket = new Socket(group.Group.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            _socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            // Bound to the group, not to any address: strangers' packets to the same port stay outside.
            _socket.Bind(new IPEndPoint(group.Group, group.Port));
            if (group.Group.AddressFamily == AddressFamily.InterNetworkV6)
            {
                _socket.TrySet(LibC.SOL_IPV6, LibC.IPV6_MULTICAST_ALL, 0);
                _socket.SetSocketOption(SocketOptionLevel.IPv6, SocketOptionName.AddMembership, new IPv6MulticastOption(group.Group, options.InterfaceIndex));
            }
            else
            {
                // Without it a socket also hears groups that others joined on other interfaces.
                _socket.TrySet(LibC.SOL_IP, LibC.IP_MULTICAST_ALL, 0);
                _socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.AddMembership,
                    options is { InterfaceIndex: 0, LocalAddress: { } local } ? new MulticastOption(group.Group, local) : new MulticastOption(group.Group, options.InterfaceIndex));
            }
            if (!_socket.TrySet(LibC.SOL_SOCKET, LibC.SO_RCVBUFFORCE, options.BufferBytes))
                _socket.ReceiveBufferSize = options.BufferBytes;
            Joins = _socket.TrySet(LibC.SOL_UDP, LibC.UDP_GRO, 1);
        }
        catch
        {
            _socket.Dispose();
            throw;
        }
        // A byte more than a packet, so that a longer one is seen to be longer.
        (_datagrams, _room) = (Datagrams, Joins ? JoinedBytes : _packetBytes + 1);
        _memory = (byte*)NativeMemory.AlignedAlloc((nuint)_datagrams * (nuint)_room, 64);
        _messages = (LibC.Message*)NativeMemory.AllocZeroed((nuint)_datagrams, (nuint)sizeof(LibC.Message));
        _vectors = (LibC.Vector*)NativeMemory.AllocZeroed((nuint)_datagrams, (nuint)sizeof(LibC.Vector));
        for (var i = 0; i < _datagrams; i++)
        {
            _vectors[i] = new LibC.Vector { Base = _memory + ((nint)i * _room), Length = (nuint)_room };
            _messages[i].Header.Vectors = _vectors + i;
            _messages[i].Header.VectorCount = 1;
        }
    }

    ~MulticastReceiveSocket() => Free();

    /// <summary>The kernel joins packets.</summary>
    public bool Joins { get; }

    /// <summary>Kernel memory for packets that wait, bytes as the kernel counts them.</summary>
    public int BufferBytes => _socket.ReceiveBufferSize;

    /// <summary>Datagrams that found no room in the kernel's memory since the start.</summary>
    public long Drops
    {
        get
        {
            Span<byte> info = stackalloc byte[LibC.MemoryInfoBytes];
            try
            {
                return _socket.GetRawSocketOption(LibC.SOL_SOCKET, LibC.SO_MEMINFO, info) == info.Length
                    ? MemoryMarshal.Read<uint>(info[LibC.MemoryInfoDrops..])
                    : 0;
            }
            catch (SocketException)
            {
                // Before Linux 4.12 nobody counts.
                return 0;
            }
        }
    }

    /// <summary>How long <see cref="Receive"/> waits for a first packet.</summary>
    public TimeSpan Timeout
    {
        get => TimeSpan.FromMilliseconds(_socket.ReceiveTimeout);
        set => _socket.ReceiveTimeout = Math.Max(1, (int)value.TotalMilliseconds);
    }

    /// <summary>Waits for packets and returns how many came; 0 after the timeout.</summary>
    /// <exception cref="SocketException">The socket is of no more use.</exception>
    public int Receive()
    {
        _packets.Clear();
        var count = LibC.ReceiveMany(_socket.SafeHandle, _messages, (uint)_datagrams, LibC.MSG_WAITFORONE, null);
        if (count < 0)
        {
            var error = Marshal.GetLastPInvokeError();
            return error is LibC.EAGAIN or LibC.EINTR or LibC.ENETDOWN ? 0 : throw new SocketException(error);
        }
        for (var i = 0; i < count; i++)
        {
            var length = (int)_messages[i].Length;
            var offset = i * _room;
            do
            {
                // All packets of a session are equally long; what is over at the end is nobody's.
                var piece = Joins ? Math.Min(length, _packetBytes) : length;
                _packets.Add((offset, piece));
                offset += piece;
                length -= piece;
            }
            while (length > 0);
        }
        return _packets.Count;
    }

    /// <summary>A packet of the last call, to be opened in place. Anything may be in it, and its length may be any.</summary>
    public Span<byte> Packet(int index) => new(_memory + _packets[index].Offset, _packets[index].Length);

    public void Dispose()
    {
        _socket.Dispose();
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        if (Interlocked.Exchange(ref _freed, true))
            return;
        NativeMemory.AlignedFree(_memory);
        NativeMemory.Free(_messages);
        NativeMemory.Free(_vectors);
    }
}
