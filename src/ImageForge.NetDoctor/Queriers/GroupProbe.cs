using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using ImageForge.NetDoctor.Frames;

namespace ImageForge.NetDoctor.Queriers;

/// <summary>
/// Provokes a querier: it asks every two minutes, but at once when the last member of a group leaves (RFC 2236 §3, RFC 3376 §6.4.2).
/// So a group that nobody uses is joined and left again, in the kernel's version and in version 2.
/// </summary>
internal sealed class GroupProbe
{
    private static readonly IPAddress s_allRouters = IPAddress.Parse("224.0.0.2");
    // IPPROTO_IP, IP_OPTIONS; the router alert option (RFC 2113), without which snoopers may not look.
    private const int IpLevel = 0, IpOptions = 4;
    private static readonly byte[] s_routerAlert = [0x94, 4, 0, 0];

    private readonly int _interfaceIndex;

    public GroupProbe(int interfaceIndex)
    {
        _interfaceIndex = interfaceIndex;
        Span<byte> random = stackalloc byte[2];
        RandomNumberGenerator.Fill(random);
        // 239.255/16 stays on the site (RFC 2365 §6.1), ff12::/16 on the link.
        Group = new IPAddress([239, 255, random[0], (byte)(random[1] | 1)]);
        GroupV6 = new IPAddress([0xFF, 0x12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x49, 0x46, random[0], random[1]]);
    }

    public IPAddress Group { get; }

    public IPAddress GroupV6 { get; }

    /// <summary>Why a part of it could not be done; empty: all of it was.</summary>
    public List<string> Failures { get; } = [];

    /// <summary>Joins, waits, leaves.</summary>
    public async Task RunAsync(bool withV6, TimeSpan stay, TimeProvider time, CancellationToken cancellationToken)
    {
        using var member = Join(AddressFamily.InterNetwork, SocketOptionLevel.IP, new MulticastOption(Group, _interfaceIndex));
        using var memberV6 = withV6 ? Join(AddressFamily.InterNetworkV6, SocketOptionLevel.IPv6, new IPv6MulticastOption(GroupV6, _interfaceIndex)) : null;
        Send(0x16, Group);
        await Task.Delay(stay, time, cancellationToken);
        member?.Dispose();
        memberV6?.Dispose();
        Send(0x17, s_allRouters);
    }

    private Socket? Join(AddressFamily family, SocketOptionLevel level, object membership)
    {
        var socket = new Socket(family, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            socket.SetSocketOption(level, SocketOptionName.AddMembership, membership);
            return socket;
        }
        catch (SocketException e)
        {
            Failures.Add($"joining a group ({(family == AddressFamily.InterNetwork ? "IPv4" : "IPv6")}): {e.Message}");
            socket.Dispose();
            return null;
        }
    }

    private void Send(byte type, IPAddress to)
    {
        try
        {
            using var raw = new Socket(AddressFamily.InterNetwork, SocketType.Raw, ProtocolType.Igmp);
            raw.SetRawSocketOption(IpLevel, IpOptions, s_routerAlert);
            raw.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.MulticastInterface, IPAddress.HostToNetworkOrder(_interfaceIndex));
            raw.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.MulticastTimeToLive, 1);
            raw.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.MulticastLoopback, false);
            raw.SendTo(Message(type, Group), new IPEndPoint(to, 0));
        }
        catch (SocketException e)
        {
            Failures.Add($"sending IGMPv2: {e.Message}");
        }
    }

    internal static byte[] Message(byte type, IPAddress group)
    {
        var bytes = new byte[8];
        bytes[0] = type;
        group.TryWriteBytes(bytes.AsSpan(4), out _);
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(2), InternetChecksum.Of(bytes));
        return bytes;
    }
}
