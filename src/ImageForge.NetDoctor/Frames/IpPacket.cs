using System.Buffers.Binary;
using System.Net;

namespace ImageForge.NetDoctor.Frames;

/// <summary>
/// The network header of a packet, bounds-checked. IPv4 (RFC 791 §3.1): 0 version and header words, 2 total length, 6 fragment, 8 TTL,
/// 9 protocol, 12 source, 16 destination. IPv6 (RFC 8200 §3): 4 payload length, 6 next header, 7 hop limit, 8 source, 24 destination;
/// then options headers: next header, length in 8 bytes without the first.
/// </summary>
internal readonly ref struct IpPacket
{
    public const byte Igmp = 2, Udp = 17, IcmpV6 = 58;
    private const int MostOptionHeaders = 8;

    public bool IsV6 { get; private init; }

    public byte Protocol { get; private init; }

    /// <summary>TTL or hop limit.</summary>
    public byte Ttl { get; private init; }

    public ReadOnlySpan<byte> SourceBytes { get; private init; }

    public ReadOnlySpan<byte> DestinationBytes { get; private init; }

    /// <summary>Behind all headers of the network layer.</summary>
    public ReadOnlySpan<byte> Payload { get; private init; }

    public IPAddress Source => new(SourceBytes);

    public IPAddress Destination => new(DestinationBytes);

    /// <summary>False for what is damaged, or is a later fragment.</summary>
    public static bool TryRead(ushort etherType, ReadOnlySpan<byte> bytes, out IpPacket packet)
    {
        packet = default;
        return etherType switch
        {
            0x0800 => TryReadV4(bytes, ref packet),
            0x86DD => TryReadV6(bytes, ref packet),
            _ => false,
        };
    }

    private static bool TryReadV4(ReadOnlySpan<byte> bytes, ref IpPacket packet)
    {
        if (bytes.Length < 20 || bytes[0] >> 4 != 4)
            return false;
        var header = (bytes[0] & 15) * 4;
        var total = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]);
        if (header < 20 || total < header || total > bytes.Length || (BinaryPrimitives.ReadUInt16BigEndian(bytes[6..]) & 0x1FFF) != 0)
            return false;
        packet = new IpPacket
        {
            Protocol = bytes[9],
            Ttl = bytes[8],
            SourceBytes = bytes.Slice(12, 4),
            DestinationBytes = bytes.Slice(16, 4),
            Payload = bytes[header..total],
        };
        return true;
    }

    private static bool TryReadV6(ReadOnlySpan<byte> bytes, ref IpPacket packet)
    {
        if (bytes.Length < 40 || bytes[0] >> 4 != 6)
            return false;
        var length = BinaryPrimitives.ReadUInt16BigEndian(bytes[4..]);
        if (40 + length > bytes.Length)
            return false;
        var next = bytes[6];
        var rest = bytes.Slice(40, length);
        // Hop-by-hop, routing, destination options; a fragment header (44) ends it: what we look for is never cut.
        for (var headers = 0; next is 0 or 43 or 60; headers++)
        {
            if (headers == MostOptionHeaders || rest.Length < 8)
                return false;
            var size = (rest[1] + 1) * 8;
            if (size > rest.Length)
                return false;
            next = rest[0];
            rest = rest[size..];
        }
        packet = new IpPacket
        {
            IsV6 = true,
            Protocol = next,
            Ttl = bytes[7],
            SourceBytes = bytes.Slice(8, 16),
            DestinationBytes = bytes.Slice(24, 16),
            Payload = rest,
        };
        return true;
    }
}
