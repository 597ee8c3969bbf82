using System.Buffers.Binary;
using ImageForge.NetDoctor.Frames;
using ImageForge.NetDoctor.Queriers;

namespace ImageForge.NetDoctor.Tests.Queriers;

/// <summary>Messages byte by byte, with the checksum that belongs to them.</summary>
internal static class GroupMessages
{
    public static readonly byte[] V1Query = Igmp("11 00 0000 00000000"), V2Query = Igmp("11 64 0000 00000000"), V2GroupQuery = Igmp("11 0a 0000 efff0102"),
        V3Query = Igmp("11 64 0000 00000000 02 7d 0000"), V3SlowQuery = Igmp("11 64 0000 00000000 02 ff 0001 0a000001"), Leave = Igmp("17 00 0000 efff0102"),
        // Two records: 239.255.1.2 with one source and a word of auxiliary data, 239.1.1.1.
        V3Report = Igmp("22 00 0000 0000 0002 04 01 0001 efff0102 0a000001 deadbeef 03 00 0000 ef010101");

    public static readonly byte[] MldQuery = Mld("82 00 0000 2710 0000 00000000000000000000000000000000"), MldV2Query = Mld("82 00 0000 2710 0000 00000000000000000000000000000000 02 7d 0000"),
        MldDone = Mld("84 00 0000 0000 0000 ff120000000000000000000049460102"), MldReport = Mld("8f 00 0000 0000 0001 04 00 0000 ff120000000000000000000049460102");

    public static byte[] Igmp(string hex)
    {
        var bytes = Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(2), InternetChecksum.Of(bytes));
        return bytes;
    }

    /// <summary>A whole IPv6 packet: from fe80::1 to ff02::1, hop-by-hop with router alert.</summary>
    public static byte[] Mld(string hex)
    {
        var icmp = Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
        byte[] packet =
        [
            0x60, 0, 0, 0, 0, (byte)(icmp.Length + 8), 0, 1, 0xFE, 0x80, .. new byte[13], 1, 0xFF, 2, .. new byte[13], 1, 58, 0, 5, 2, 0, 0, 1, 0, .. icmp,
        ];
        Assert.True(IpPacket.TryRead(0x86DD, packet, out var read));
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(50), InternetChecksum.Of(icmp, InternetChecksum.PseudoHeader(read)));
        return packet;
    }

    public static GroupMessage? ReadIgmp(byte[] bytes) => IgmpParser.TryParse(bytes, out var message) ? message : null;

    public static GroupMessage? ReadMld(byte[] packet) => IpPacket.TryRead(0x86DD, packet, out var ip) && MldParser.TryParse(ip, out var message) ? message : null;
}
