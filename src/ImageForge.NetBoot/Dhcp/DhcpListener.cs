using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Text;

namespace ImageForge.NetBoot.Dhcp;

/// <summary>
/// The socket under a responder: UDP on 0.0.0.0 (a broadcast does not reach a socket bound to an address), bound to one
/// device so that nothing leaves by another.
/// </summary>
/// <param name="onExchange">Called for every packet on the receive loop: must not block, must not throw.</param>
public sealed class DhcpListener(DhcpListenerOptions options, IDhcpResponder responder, Action<DhcpExchange> onExchange) : IAsyncDisposable
{
    // Linux socket(7): SOL_SOCKET, SO_BINDTODEVICE. .NET's ReuseAddress on Linux UDP also sets SO_REUSEPORT, which would share
    // packets out between us and another server's socket; the raw option does not.
    private const int SolSocket = 1, SoReuseAddress = 2, SoBindToDevice = 25;

    private readonly CancellationTokenSource _stop = new();
    private Socket? _socket;

    public DhcpCounters Counters { get; } = new();

    /// <summary>Ends when the loop ends: normally only after <see cref="DisposeAsync"/>; with an exception when the socket died.</summary>
    public Task Completion { get; private set; } = Task.CompletedTask;

    /// <summary>The port in use after <see cref="Start"/>.</summary>
    public int Port => ((IPEndPoint)_socket!.LocalEndPoint!).Port;

    /// <summary>Binds and starts answering.</summary>
    /// <exception cref="SocketException">The port is taken, the device is not there, or the right is missing (CAP_NET_BIND_SERVICE, CAP_NET_RAW).</exception>
    public void Start()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            socket.SetRawSocketOption(SolSocket, SoReuseAddress, BitConverter.GetBytes(1));
            socket.EnableBroadcast = true;
            socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.PacketInformation, true);
            if (options.Interface.Length > 0)
                socket.SetRawSocketOption(SolSocket, SoBindToDevice, Encoding.ASCII.GetBytes(options.Interface + '\0'));
            socket.Bind(new IPEndPoint(IPAddress.Any, options.Port));
        }
        catch
        {
            socket.Dispose();
            throw;
        }
        _socket = socket;
        var index = options.Interface.Length > 0 ? InterfaceIndex(options.Interface) : 0;
        Completion = Task.Run(() => ReceiveAsync(socket, index, _stop.Token));
    }

    private async Task ReceiveAsync(Socket socket, int interfaceIndex, CancellationToken ct)
    {
        var buffer = new byte[DhcpPacketParser.LongestPacket + 1];
        while (!ct.IsCancellationRequested)
        {
            SocketReceiveMessageFromResult received;
            try
            {
                received = await socket.ReceiveMessageFromAsync(buffer, SocketFlags.None, new IPEndPoint(IPAddress.Any, 0), ct);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.NetworkDown or SocketError.ConnectionReset or SocketError.MessageSize)
            {
                // A link that goes down and comes back is not the end of the service.
                continue;
            }
            var otherInterface = interfaceIndex != 0 && received.PacketInformation.Interface != interfaceIndex;
            var exchange = otherInterface
                ? new DhcpExchange(DhcpExchangeKind.Ignored, options.Port) { Reason = DhcpIgnoreReason.OtherInterface }
                : await HandleAsync(socket, buffer.AsMemory(0, received.ReceivedBytes), (IPEndPoint)received.RemoteEndPoint, ct);
            Counters.Record(exchange);
            onExchange(exchange);
        }
    }

    private async ValueTask<DhcpExchange> HandleAsync(Socket socket, ReadOnlyMemory<byte> bytes, IPEndPoint source, CancellationToken ct)
    {
        if (!DhcpPacketParser.TryParse(bytes.Span, out var request, out var reason))
            return new DhcpExchange(DhcpExchangeKind.Ignored, options.Port) { Reason = reason };
        DhcpExchange? exchange = null;
        try
        {
            var reply = responder.Respond(request, new DhcpArrival(source, options.ServerAddress, options.Port));
            exchange = reply.Exchange;
            if (reply is { Packet: { } packet, Destination: { } destination })
            {
                // Without a device (tests on loopback) there is nothing to broadcast on.
                if (options.Interface.Length == 0 && destination.Address.Equals(IPAddress.Broadcast))
                    destination = source;
                await socket.SendToAsync(DhcpPacketWriter.Write(packet), SocketFlags.None, destination, ct);
            }
            return exchange;
        }
        catch (SocketException e)
        {
            return (exchange ?? new DhcpExchange(DhcpExchangeKind.Ignored, options.Port) { Mac = request.Mac })
                with
            { Kind = DhcpExchangeKind.Ignored, Reason = DhcpIgnoreReason.SendFailed, Detail = e.Message };
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // One packet that trips a fault in a policy must not end the service for a campus; it is counted and told.
            return new DhcpExchange(DhcpExchangeKind.Ignored, options.Port)
            {
                Mac = request.Mac,
                Request = request.Type,
                Reason = DhcpIgnoreReason.ResponderFault,
                Detail = $"{e.GetType().Name}: {e.Message}",
            };
        }
    }

    private static int InterfaceIndex(string name) =>
        NetworkInterface.GetAllNetworkInterfaces().FirstOrDefault(i => i.Name == name)?.GetIPProperties().GetIPv4Properties()?.Index
        ?? throw new SocketException((int)SocketError.NetworkUnreachable);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Completion.ContinueWith(static _ => { }, TaskScheduler.Default);
        _socket?.Dispose();
        _stop.Dispose();
    }
}
