using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace ImageForge.NetDoctor.Echoes;

/// <summary>The groups and the port of one run; all its interfaces use the same.</summary>
internal sealed class EchoPlan
{
    public EchoPlan()
    {
        var random = RandomNumberGenerator.GetBytes(10);
        Run = BitConverter.ToUInt64(random);
        Joined = new IPAddress([239, 255, random[8], (byte)(random[9] & 0x7F)]);
        Unjoined = new IPAddress([239, 255, random[8], (byte)(random[9] | 0x80)]);
        Port = (ushort)(49152 + Run % 16000);
    }

    public ulong Run { get; }

    public IPAddress Joined { get; }

    public IPAddress Unjoined { get; }

    public ushort Port { get; }
}

/// <summary>Joins the test group on one interface, listens as a receiver of a session would, and sends the test packets.</summary>
internal sealed class EchoSockets : IDisposable
{
    private const int SolSocket = 1, SoReuseAddress = 2, SoBindToDevice = 25;

    private readonly EchoPlan _plan;
    private readonly int _interfaceIndex;
    private readonly Socket _receiver = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly Socket _sender = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { EnableBroadcast = true };

    /// <exception cref="SocketException">ENOBUFS: no more memberships (net.ipv4.igmp_max_memberships); EADDRINUSE.</exception>
    public EchoSockets(EchoPlan plan, string interfaceName, int interfaceIndex, int ttl)
    {
        (_plan, _interfaceIndex) = (plan, interfaceIndex);
        try
        {
            _receiver.SetRawSocketOption(SolSocket, SoReuseAddress, BitConverter.GetBytes(1));
            _receiver.Bind(new IPEndPoint(plan.Joined, plan.Port));
            _receiver.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.AddMembership, new MulticastOption(plan.Joined, interfaceIndex));
            _sender.SetRawSocketOption(SolSocket, SoBindToDevice, Encoding.ASCII.GetBytes(interfaceName + '\0'));
            _sender.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.MulticastInterface, IPAddress.HostToNetworkOrder(interfaceIndex));
            _sender.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.MulticastTimeToLive, ttl);
            _sender.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.MulticastLoopback, true);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>A packet of this interface came back to our own listener.</summary>
    public bool HeardItself { get; private set; }

    /// <summary>Why the last packets could not be sent; null: they were.</summary>
    public string? SendFailure { get; private set; }

    public void Send()
    {
        foreach (var (kind, to) in ((EchoKind, IPAddress)[])[(EchoKind.Joined, _plan.Joined), (EchoKind.Unjoined, _plan.Unjoined), (EchoKind.Broadcast, IPAddress.Broadcast)])
        {
            try
            {
                _sender.SendTo(Echo.Write(_plan.Run, _interfaceIndex, kind), new IPEndPoint(to, _plan.Port));
            }
            catch (SocketException e)
            {
                // EPERM is what a firewall's output rule looks like from here.
                SendFailure = e.Message;
            }
        }
    }

    public async Task ListenAsync(CancellationToken cancellationToken)
    {
        var buffer = new byte[256];
        try
        {
            while (true)
            {
                var received = await _receiver.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0), cancellationToken);
                if (Echo.TryRead(buffer.AsSpan(0, received.ReceivedBytes), _plan.Run, out var from, out var kind) && from == _interfaceIndex && kind == EchoKind.Joined)
                    HeardItself = true;
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    public void Dispose()
    {
        _receiver.Dispose();
        _sender.Dispose();
    }
}
