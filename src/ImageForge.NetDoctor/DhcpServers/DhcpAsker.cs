using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ImageForge.NetDoctor.DhcpServers;

/// <summary>Sends the questions by one interface. Broadcasts also reach the services of this machine that listen there.</summary>
internal sealed class DhcpAsker : IDisposable
{
    private const int SolSocket = 1, SoReuseAddress = 2, SoBindToDevice = 25, IpLevel = 0, IpUnicastInterface = 50;
    private const int ServerPort = 67, ClientPort = 68, BootServerPort = 4011;

    private readonly DhcpQuestions _questions;
    private readonly Socket _discover;
    private readonly Socket _bootServer;

    /// <exception cref="SocketException">The right is missing (CAP_NET_RAW).</exception>
    public DhcpAsker(DhcpQuestions questions, string interfaceName, int interfaceIndex)
    {
        _questions = questions;
        _discover = Udp();
        _bootServer = Udp();
        try
        {
            _discover.SetRawSocketOption(SolSocket, SoReuseAddress, BitConverter.GetBytes(1));
            _discover.SetRawSocketOption(SolSocket, SoBindToDevice, Encoding.ASCII.GetBytes(interfaceName + '\0'));
            try
            {
                _discover.Bind(new IPEndPoint(IPAddress.Any, ClientPort));
            }
            catch (SocketException)
            {
                // A DHCP client of the machine holds it. Servers answer to port 68 whatever port was asked from, and we read packets, not this socket.
                _discover.Bind(new IPEndPoint(IPAddress.Any, 0));
            }
            // Not bound to the device: an answer of our own server comes by the loopback interface. IP_UNICAST_IF keeps what we send on ours.
            _bootServer.SetRawSocketOption(IpLevel, IpUnicastInterface, BitConverter.GetBytes(IPAddress.HostToNetworkOrder(interfaceIndex)));
            _bootServer.Bind(new IPEndPoint(IPAddress.Any, 0));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public void Discover()
    {
        foreach (var who in (AskedAs[])[AskedAs.Plain, AskedAs.Bios, AskedAs.Uefi])
            _discover.SendTo(_questions.Discover(who), new IPEndPoint(IPAddress.Broadcast, ServerPort));
    }

    /// <summary>By broadcast, which our own server hears, and to every server known by now: those answer to nothing else.</summary>
    public void AskBootServers(IPAddress ownAddress, IEnumerable<IPAddress> known)
    {
        var question = _questions.AskBootServer(ownAddress);
        foreach (var to in (IPAddress[])[IPAddress.Broadcast, .. known.Distinct()])
        {
            try
            {
                _bootServer.SendTo(question, new IPEndPoint(to, BootServerPort));
            }
            catch (SocketException)
            {
                // No way to a server behind a relay, or an earlier one refused: the others are asked all the same.
            }
        }
    }

    /// <summary>Hands on what comes back until cancelled.</summary>
    public async Task ListenAsync(DhcpWatch watch, CancellationToken cancellationToken)
    {
        var buffer = new byte[9001];
        while (true)
        {
            try
            {
                var received = await _bootServer.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0), cancellationToken);
                watch.Take(buffer.AsSpan(0, received.ReceivedBytes), ((IPEndPoint)received.RemoteEndPoint).Address, null);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (SocketException)
            {
                // "Port unreachable" from a server without port 4011.
            }
        }
    }

    private static Socket Udp() => new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { EnableBroadcast = true };

    public void Dispose()
    {
        _discover.Dispose();
        _bootServer.Dispose();
    }
}
