using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace ImageForge.NetBoot.Tftp;

internal enum TftpOpcode : ushort
{
    ReadRequest = 1,
    WriteRequest = 2,
    Data = 3,
    Acknowledgement = 4,
    Error = 5,
    /// <summary>RFC 2347.</summary>
    OptionAcknowledgement = 6,
}

/// <summary>
/// Writes what a server sends. All begin with a 16-bit opcode, big-endian (RFC 1350 §5, RFC 2347):
/// <code>
/// DATA  3  block(2)  bytes          ERROR 5  code(2)  message NUL
/// OACK  6  name NUL value NUL …
/// </code>
/// </summary>
internal static class TftpPackets
{
    public const int HeaderLength = 4;

    /// <summary>Puts opcode and block number in front of the data already in place.</summary>
    public static void WriteDataHeader(Span<byte> packet, long block)
    {
        BinaryPrimitives.WriteUInt16BigEndian(packet, (ushort)TftpOpcode.Data);
        // RFC 1350 does not say what follows 65535. Zero is what clients and servers agree on.
        BinaryPrimitives.WriteUInt16BigEndian(packet[2..], (ushort)block);
    }

    public static byte[] Error(TftpErrorCode code, string message)
    {
        var packet = new byte[HeaderLength + Encoding.UTF8.GetByteCount(message) + 1];
        BinaryPrimitives.WriteUInt16BigEndian(packet, (ushort)TftpOpcode.Error);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), (ushort)code);
        Encoding.UTF8.GetBytes(message, packet.AsSpan(HeaderLength));
        return packet;
    }

    public static byte[] OptionAcknowledgement(IEnumerable<KeyValuePair<string, long>> options)
    {
        var text = new StringBuilder();
        foreach (var (name, value) in options)
            text.Append(name).Append('\0').Append(value.ToString(CultureInfo.InvariantCulture)).Append('\0');
        return [0, (byte)TftpOpcode.OptionAcknowledgement, .. Encoding.ASCII.GetBytes(text.ToString())];
    }
}
