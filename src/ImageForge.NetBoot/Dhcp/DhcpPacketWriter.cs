using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace ImageForge.NetBoot.Dhcp;

/// <summary>Writes a DHCP message; the layout is at <see cref="DhcpPacketParser"/>.</summary>
public static class DhcpPacketWriter
{
    /// <summary>BOOTP's packets have at least 300 bytes (RFC 951), and relays and ROMs exist that drop shorter ones.</summary>
    private const int ShortestPacket = 300;

    /// <summary>Longest text in sname and file: they end with a NUL (RFC 2131 §2).</summary>
    public const int LongestServerName = 63, LongestFile = 127;

    /// <exception cref="ArgumentException">sname or file does not fit; responders check first.</exception>
    public static byte[] Write(DhcpPacket packet)
    {
        var options = new MemoryStream();
        WriteOption(options, DhcpOptionCode.MessageType, [(byte)packet.Type]);
        foreach (var (code, value) in packet.Options)
        {
            if (code != DhcpOptionCode.RelayAgentInformation)
                WriteOption(options, code, value);
        }
        // RFC 3046 §2.2: the relay's option is the last one.
        if (packet.Options.Find(DhcpOptionCode.RelayAgentInformation) is { } relay)
            WriteOption(options, DhcpOptionCode.RelayAgentInformation, relay);
        options.WriteByte((byte)DhcpOptionCode.End);

        var bytes = new byte[Math.Max(ShortestPacket, DhcpPacketParser.FixedLength + (int)options.Length)];
        bytes[0] = packet.Operation;
        bytes[1] = 1;
        bytes[2] = 6;
        bytes[3] = packet.Hops;
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(4), packet.TransactionId);
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(8), packet.Seconds);
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(10), packet.Flags);
        WriteAddress(bytes, 12, packet.ClientAddress);
        WriteAddress(bytes, 16, packet.YourAddress);
        WriteAddress(bytes, 20, packet.NextServer);
        WriteAddress(bytes, 24, packet.RelayAddress);
        packet.Mac.CopyTo(bytes.AsSpan(28, 6));
        WriteText(bytes.AsSpan(44, LongestServerName), packet.ServerName, "sname");
        WriteText(bytes.AsSpan(108, LongestFile), packet.File, "file");
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(236), DhcpPacketParser.MagicCookie);
        options.GetBuffer().AsSpan(0, (int)options.Length).CopyTo(bytes.AsSpan(DhcpPacketParser.FixedLength));
        return bytes;
    }

    /// <summary>More than 255 bytes go out as several options of the same code (RFC 3396 §6).</summary>
    private static void WriteOption(MemoryStream stream, DhcpOptionCode code, ReadOnlySpan<byte> value)
    {
        do
        {
            var piece = value[..Math.Min(255, value.Length)];
            stream.WriteByte((byte)code);
            stream.WriteByte((byte)piece.Length);
            stream.Write(piece);
            value = value[piece.Length..];
        }
        while (!value.IsEmpty);
    }

    private static void WriteAddress(byte[] bytes, int offset, IPAddress address) =>
        address.TryWriteBytes(bytes.AsSpan(offset, 4), out _);

    private static void WriteText(Span<byte> field, string text, string name)
    {
        if (Encoding.UTF8.GetByteCount(text) > field.Length)
            throw new ArgumentException($"{name} holds {field.Length} bytes, \"{text}\" is longer");
        Encoding.UTF8.GetBytes(text, field);
    }
}
