using System.Net;
using ImageForge.Contracts;
using ImageForge.NetBoot.Dhcp;

namespace ImageForge.NetBoot.Tests.Dhcp;

/// <summary>Requests as clients send them, and where they arrive.</summary>
internal static class Requests
{
    public static readonly MacAddress Mac = MacAddress.Parse("52:54:00:12:34:56");
    public static readonly IPAddress Server = IPAddress.Parse("10.77.0.1");

    public static readonly DhcpArrival Broadcast = new(new IPEndPoint(IPAddress.Any, 68), Server, 67);

    public static DhcpPacket Make(DhcpMessageType type, MacAddress? mac = null, params (DhcpOptionCode Code, byte[] Value)[] options)
    {
        var packet = new DhcpPacket { Operation = 1, Type = type, Mac = mac ?? Mac, TransactionId = 0x01020304 };
        foreach (var (code, value) in options)
            packet.Options.Set(code, value);
        return packet;
    }

    public static DhcpPacket Read(string realPacket) =>
        DhcpPacketParser.TryParse(RealPackets.Load(realPacket), out var packet, out var reason) ? packet : throw new InvalidOperationException($"{realPacket}: {reason}");

    public static byte[] Bytes(string address) => IPAddress.Parse(address).GetAddressBytes();

    /// <summary>The reply as the client reads it from the wire.</summary>
    public static DhcpPacket OnTheWire(this DhcpReply reply) =>
        DhcpPacketParser.TryParse(DhcpPacketWriter.Write(reply.Packet!), out var packet, out var reason) ? packet : throw new InvalidOperationException(reason.ToString());
}
