using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using ImageForge.NetDoctor.Frames;

namespace ImageForge.NetDoctor.Queriers;

/// <summary>
/// Multicast listener discovery, both versions, inside ICMPv6 (RFC 2710 §3, RFC 3810 §5):
/// <code>
/// 0 type   1 code   2 checksum(2)   4 maximum response, milliseconds(2)   6 reserved(2)   8 group(16)
/// version 2 query:  24 flags   25 interval code   26 sources(2)   28 source(16) …
/// version 2 report: 4 reserved(2)   6 records(2)   8 record: type, words of auxiliary data, sources(2), group(16), source(16) …, auxiliary …
/// </code>
/// </summary>
internal static class MldParser
{
    private const byte Query = 130, ReportV1 = 131, Done = 132, ReportV2 = 143;

    public static bool TryParse(IpPacket packet, [NotNullWhen(true)] out GroupMessage? message)
    {
        message = null;
        var bytes = packet.Payload;
        if (!packet.IsV6 || packet.Protocol != IpPacket.IcmpV6 || bytes.Length < 8 || bytes[0] is not (Query or ReportV1 or Done or ReportV2)
            || InternetChecksum.Of(bytes, InternetChecksum.PseudoHeader(packet)) != 0)
            return false;
        message = bytes[0] switch
        {
            ReportV2 => ReadReport(bytes),
            _ when bytes.Length < 24 => null,
            Query => ReadQuery(bytes),
            ReportV1 => new GroupMessage(GroupMessageKind.Report, 1, Address(bytes[8..])),
            _ => new GroupMessage(GroupMessageKind.Leave, 1, Address(bytes[8..])),
        };
        return message is not null;
    }

    private static GroupMessage? ReadQuery(ReadOnlySpan<byte> bytes)
    {
        var group = Address(bytes[8..]);
        var code = BinaryPrimitives.ReadUInt16BigEndian(bytes[4..]);
        if (bytes.Length == 24)
            return new GroupMessage(GroupMessageKind.Query, 1, group, TimeSpan.FromMilliseconds(code));
        if (bytes.Length < 28 || 28 + 16 * BinaryPrimitives.ReadUInt16BigEndian(bytes[26..]) > bytes.Length)
            return null;
        // RFC 3810 §5.1.3: from 32768 on a small floating-point number.
        var wait = code < 0x8000 ? code : (long)(code & 0xFFF | 0x1000) << ((code >> 12 & 7) + 3);
        return new GroupMessage(GroupMessageKind.Query, 2, group, TimeSpan.FromMilliseconds(wait), TimeSpan.FromSeconds(IgmpParser.Float(bytes[25])));
    }

    private static GroupMessage? ReadReport(ReadOnlySpan<byte> bytes)
    {
        var records = BinaryPrimitives.ReadUInt16BigEndian(bytes[6..]);
        var rest = bytes[8..];
        IPAddress? first = null;
        for (var i = 0; i < records; i++)
        {
            if (rest.Length < 20)
                return null;
            var size = 20 + 16 * BinaryPrimitives.ReadUInt16BigEndian(rest[2..]) + 4 * rest[1];
            if (size > rest.Length)
                return null;
            first ??= Address(rest[4..]);
            rest = rest[size..];
        }
        return new GroupMessage(GroupMessageKind.Report, 2, first, Groups: records);
    }

    private static IPAddress? Address(ReadOnlySpan<byte> bytes) => bytes[..16].ContainsAnyExcept((byte)0) ? new IPAddress(bytes[..16]) : null;
}
