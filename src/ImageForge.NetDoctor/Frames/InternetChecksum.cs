using System.Buffers.Binary;

namespace ImageForge.NetDoctor.Frames;

/// <summary>RFC 1071: the ones' complement of the ones' complement sum of 16-bit words.</summary>
internal static class InternetChecksum
{
    /// <summary>Over data whose checksum field is filled in, 0 when it is right; with the field zero, what belongs there.</summary>
    public static ushort Of(ReadOnlySpan<byte> bytes, uint sum = 0)
    {
        for (; bytes.Length >= 2; bytes = bytes[2..])
            sum += BinaryPrimitives.ReadUInt16BigEndian(bytes);
        if (bytes.Length == 1)
            sum += (uint)bytes[0] << 8;
        while (sum >> 16 != 0)
            sum = (sum & 0xFFFF) + (sum >> 16);
        return (ushort)~sum;
    }

    /// <summary>The pseudo-header that ICMPv6 is summed with (RFC 8200 §8.1).</summary>
    public static uint PseudoHeader(IpPacket packet)
    {
        var sum = (uint)packet.Payload.Length + packet.Protocol;
        for (var i = 0; i < 16; i += 2)
            sum += (uint)BinaryPrimitives.ReadUInt16BigEndian(packet.SourceBytes[i..]) + BinaryPrimitives.ReadUInt16BigEndian(packet.DestinationBytes[i..]);
        return sum;
    }
}
