using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using ImageForge.Multicast;

namespace ImageForge.Server.Tests.Multicasting;

/// <summary>
/// Somebody in the network who has joined the group and has no key: sees headers (ImageForge.Multicast/README.md, Packets), counts them, and notes each
/// epoch's sequences. On the loopback interface.
/// </summary>
internal sealed class Eavesdropper : IAsyncDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly CancellationTokenSource _end = new();
    private readonly ConcurrentDictionary<uint, HashSet<ulong>> _seen = new();
    private readonly Task _listening;
    private long _twice, _fragmentBytes, _packets;

    public Eavesdropper(GroupEndpoint group)
    {
        _socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        _socket.ReceiveBufferSize = 4 << 20;
        _socket.Bind(new IPEndPoint(group.Group, group.Port));
        _socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.AddMembership, new MulticastOption(group.Group, IPAddress.Loopback));
        _listening = Task.Run(ListenAsync);
    }

    /// <summary>Tags of epochs.</summary>
    public int Epochs => _seen.Count;

    public long Packets => Interlocked.Read(ref _packets);

    /// <summary>Packets whose epoch and sequence had been there before.</summary>
    public long Twice => Interlocked.Read(ref _twice);

    /// <summary>Bytes of the image seen, parity and announcements not counted.</summary>
    public long FragmentBytes => Interlocked.Read(ref _fragmentBytes);

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _listening.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _socket.Dispose();
        _end.Dispose();
    }

    private async Task ListenAsync()
    {
        var packet = new byte[2048];
        while (true)
        {
            var length = await _socket.ReceiveAsync(packet, _end.Token);
            if (length < 44 || packet[0] != 0x49 || packet[1] != 0x46)
                continue;
            var (tag, sequence) = (BinaryPrimitives.ReadUInt32BigEndian(packet.AsSpan(4)), BinaryPrimitives.ReadUInt64BigEndian(packet.AsSpan(8)));
            if (!_seen.GetOrAdd(tag, static _ => []).Add(sequence))
                Interlocked.Increment(ref _twice);
            Interlocked.Increment(ref _packets);
            if (packet[3] == 1)
                Interlocked.Add(ref _fragmentBytes, length - 44);
        }
    }
}
