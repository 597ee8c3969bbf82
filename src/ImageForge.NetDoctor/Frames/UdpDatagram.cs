using System.Buffers.Binary;

namespace ImageForge.NetDoctor.Frames;

/// <summary>RFC 768: source port, destination port, length, checksum, then the data. The checksum is not looked at: of packets we send ourselves the card writes it later.</summary>
internal readonly ref struct UdpDatagram
{
    public ushort SourcePort { get; private init; }

    public ushort DestinationPort { get; private init; }

    public ReadOnlySpan<byte> Data { get; private init; }

    public static bool TryRead(IpPacket packet, out UdpDatagram datagram)
    {
        datagram = default;
        var bytes = packet.Payload;
        if (packet.Protocol != IpPacket.Udp || bytes.Length < 8)
            return false;
        var length = BinaryPrimitives.ReadUInt16BigEndian(bytes[4..]);
        if (length < 8 || length > bytes.Length)
            return false;
        datagram = new UdpDatagram
        {
            SourcePort = BinaryPrimitives.ReadUInt16BigEndian(bytes),
            DestinationPort = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]),
            Data = bytes[8..length],
        };
        return true;
    }
}
