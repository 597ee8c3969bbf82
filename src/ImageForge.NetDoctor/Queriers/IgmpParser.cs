using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using ImageForge.NetDoctor.Frames;

namespace ImageForge.NetDoctor.Queriers;

/// <summary>
/// IGMP, all versions (RFC 1112 appendix I, RFC 2236 §2, RFC 3376 §4):
/// <code>
/// 0 type   1 maximum response, tenths of a second (0: version 1)   2 checksum(2)   4 group(4)
/// version 3 query:  8 flags   9 interval code   10 sources(2)   12 source(4) …
/// version 3 report: 4 reserved(2)   6 records(2)   8 record: type, words of auxiliary data, sources(2), group(4), source(4) …, auxiliary …
/// </code>
/// </summary>
internal static class IgmpParser
{
    private const byte Query = 0x11, ReportV1 = 0x12, ReportV2 = 0x16, Leave = 0x17, ReportV3 = 0x22;

    public static bool TryParse(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out GroupMessage? message)
    {
        message = null;
        if (bytes.Length < 8 || InternetChecksum.Of(bytes) != 0)
            return false;
        message = bytes[0] switch
        {
            Query => ReadQuery(bytes),
            ReportV1 => new GroupMessage(GroupMessageKind.Report, 1, Address(bytes[4..])),
            ReportV2 => new GroupMessage(GroupMessageKind.Report, 2, Address(bytes[4..])),
            Leave => new GroupMessage(GroupMessageKind.Leave, 2, Address(bytes[4..])),
            ReportV3 => ReadReport(bytes),
            _ => null,
        };
        return message is not null;
    }

    // RFC 3376 §7.1: the length tells the versions apart.
    private static GroupMessage? ReadQuery(ReadOnlySpan<byte> bytes)
    {
        var group = Address(bytes[4..]);
        if (bytes.Length == 8)
            return new GroupMessage(GroupMessageKind.Query, bytes[1] == 0 ? 1 : 2, group, TimeSpan.FromSeconds(bytes[1] / 10.0));
        if (bytes.Length < 12 || 12 + 4 * BinaryPrimitives.ReadUInt16BigEndian(bytes[10..]) > bytes.Length)
            return null;
        return new GroupMessage(GroupMessageKind.Query, 3, group, TimeSpan.FromSeconds(Float(bytes[1]) / 10.0), TimeSpan.FromSeconds(Float(bytes[9])));
    }

    private static GroupMessage? ReadReport(ReadOnlySpan<byte> bytes)
    {
        var records = BinaryPrimitives.ReadUInt16BigEndian(bytes[6..]);
        var rest = bytes[8..];
        IPAddress? first = null;
        for (var i = 0; i < records; i++)
        {
            if (rest.Length < 8)
                return null;
            var size = 8 + 4 * BinaryPrimitives.ReadUInt16BigEndian(rest[2..]) + 4 * rest[1];
            if (size > rest.Length)
                return null;
            first ??= Address(rest[4..]);
            rest = rest[size..];
        }
        return new GroupMessage(GroupMessageKind.Report, 3, first, Groups: records);
    }

    /// <summary>RFC 3376 §4.1.1: from 128 on a byte is a small floating-point number.</summary>
    internal static int Float(byte code) => code < 128 ? code : (code & 15 | 16) << ((code >> 4 & 7) + 3);

    private static IPAddress? Address(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt32BigEndian(bytes) == 0 ? null : new IPAddress(bytes[..4]);
}
