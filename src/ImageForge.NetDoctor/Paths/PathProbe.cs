using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using ImageForge.NetDoctor.Frames;

namespace ImageForge.NetDoctor.Paths;

/// <param name="Largest">The largest undivided packet that came back, IP header included; null: the target answers no echo at all.</param>
/// <param name="ToldBy">A router that said "fragmentation needed"; null: larger packets vanished without a word.</param>
internal sealed record PathFacts(IPAddress Target, int Tried, int? Largest, IPAddress? ToldBy);

/// <summary>
/// How large a packet passes undivided: ICMP echoes with "don't fragment" (RFC 1191), which search the size by halving.
/// Echo (RFC 792): 0 type 8 or 0   1 code   2 checksum(2)   4 identifier(2)   6 sequence(2)   8 data.
/// </summary>
internal sealed class PathProbe : IDisposable
{
    private const int IpLevel = 0, IpMtuDiscover = 10, AlwaysDontFragment = 3, SolSocket = 1, SoBindToDevice = 25;
    private const int IpHeader = 20, SmallestMtu = 576, Attempts = 3;
    private static readonly TimeSpan s_patience = TimeSpan.FromMilliseconds(300);

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Raw, ProtocolType.Icmp);
    private readonly IPEndPoint _target;
    private readonly TimeProvider _time;
    private readonly ushort _identifier = BitConverter.ToUInt16(RandomNumberGenerator.GetBytes(2));
    private ushort _sequence;

    /// <exception cref="SocketException">The right is missing (CAP_NET_RAW).</exception>
    public PathProbe(string interfaceName, IPAddress target, TimeProvider time)
    {
        (_target, _time) = (new IPEndPoint(target, 0), time);
        _socket.SetRawSocketOption(SolSocket, SoBindToDevice, Encoding.ASCII.GetBytes(interfaceName + '\0'));
        _socket.SetRawSocketOption(IpLevel, IpMtuDiscover, BitConverter.GetBytes(AlwaysDontFragment));
    }

    /// <param name="mtu">Of the interface: nothing larger can leave.</param>
    public async Task<PathFacts> RunAsync(int mtu, CancellationToken cancellationToken)
    {
        IPAddress? told = null;
        async Task<bool> Passes(int size)
        {
            var (passed, router) = await TryAsync(size, cancellationToken);
            told ??= router;
            return passed;
        }
        if (await Passes(mtu))
            return new PathFacts(_target.Address, mtu, mtu, null);
        var (good, bad) = (Math.Min(SmallestMtu, mtu - 1), mtu);
        if (!await Passes(good))
            return new PathFacts(_target.Address, mtu, null, told);
        // The sizes that networks really have, first: three steps instead of ten.
        foreach (var usual in (int[])[1500, 1492, 1400])
        {
            if (usual <= good || usual >= bad)
                continue;
            if (await Passes(usual))
                good = usual;
            else
                bad = usual;
        }
        while (bad - good > 1)
        {
            var middle = (good + bad) / 2;
            if (await Passes(middle))
                good = middle;
            else
                bad = middle;
        }
        return new PathFacts(_target.Address, mtu, good, told);
    }

    private async Task<(bool Passed, IPAddress? Told)> TryAsync(int size, CancellationToken cancellationToken)
    {
        var buffer = new byte[65536];
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            _sequence++;
            try
            {
                await _socket.SendToAsync(Request(size), SocketFlags.None, _target, cancellationToken);
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.MessageSize)
            {
                return (false, null);
            }
            using var patience = new CancellationTokenSource(s_patience, _time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
            try
            {
                while (true)
                {
                    var received = await _socket.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0), either.Token);
                    switch (Read(buffer.AsSpan(0, received.ReceivedBytes), _target.Address, _identifier, _sequence))
                    {
                        case EchoReading.Ours:
                            return (true, null);
                        case EchoReading.TooBig:
                            return (false, ((IPEndPoint)received.RemoteEndPoint).Address);
                    }
                }
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
            }
        }
        return (false, null);
    }

    internal enum EchoReading { Other, Ours, TooBig }

    /// <summary>What a packet of the raw socket, IP header first, says about the request that is under way.</summary>
    internal static EchoReading Read(ReadOnlySpan<byte> bytes, IPAddress target, ushort identifier, ushort sequence)
    {
        if (!IpPacket.TryRead(0x0800, bytes, out var packet) || packet.Payload.Length < 8)
            return EchoReading.Other;
        var icmp = packet.Payload;
        if (icmp[0] == 0)
            return IsOurs(icmp, identifier, sequence) && packet.Source.Equals(target) ? EchoReading.Ours : EchoReading.Other;
        // 3, 4: fragmentation needed; behind 8 bytes the header of the packet that was too big, and the first 8 bytes of its data.
        if (icmp[0] != 3 || icmp[1] != 4 || icmp.Length < 8 + 20 + 8)
            return EchoReading.Other;
        var quoted = icmp[8..];
        var header = (quoted[0] & 15) * 4;
        return header >= 20 && quoted.Length >= header + 8 && quoted[header] == 8 && IsOurs(quoted[header..], identifier, sequence) ? EchoReading.TooBig : EchoReading.Other;
    }

    private static bool IsOurs(ReadOnlySpan<byte> icmp, ushort identifier, ushort sequence) =>
        BinaryPrimitives.ReadUInt16BigEndian(icmp[4..]) == identifier && BinaryPrimitives.ReadUInt16BigEndian(icmp[6..]) == sequence;

    private byte[] Request(int size)
    {
        var bytes = new byte[Math.Max(8, size - IpHeader)];
        bytes[0] = 8;
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(4), _identifier);
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(6), _sequence);
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(2), InternetChecksum.Of(bytes));
        return bytes;
    }

    public void Dispose() => _socket.Dispose();
}
