using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Text;
using ImageForge.Contracts;

namespace ImageForge.NetBoot.Dhcp;

/// <summary>
/// Reads a DHCP message. Layout (RFC 2131 §2), offsets in bytes, integers big-endian:
/// <code>
///   0 op   1 htype   2 hlen   3 hops   4 xid(4)   8 secs(2)  10 flags(2)
///  12 ciaddr  16 yiaddr  20 siaddr  24 giaddr  28 chaddr(16)  44 sname(64)  108 file(128)
/// 236 magic cookie 63 82 53 63   240 options: code, length, bytes … 255
/// </code>
/// </summary>
public static class DhcpPacketParser
{
    /// <summary>Longer ones are refused: no boot client has a reason to send more than a jumbo frame.</summary>
    public const int LongestPacket = 9000;

    internal const int FixedLength = 240;
    internal const uint MagicCookie = 0x63825363;
    private const int NameOffset = 44, NameLength = 64, FileOffset = 108, FileLength = 128;

    /// <summary>False with a reason for anything that is not a well-formed DHCP message; never throws.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out DhcpPacket? packet, out DhcpIgnoreReason reason)
    {
        packet = null;
        reason = CheckHeader(bytes);
        if (reason != DhcpIgnoreReason.None)
            return false;

        var options = new DhcpOptions();
        if (!TryReadOptions(bytes[FixedLength..], options, out reason))
            return false;

        // RFC 2132 §9.3: 1 = file carries options, 2 = sname does, 3 = both. RFC 3396 §5 reads them in the order options, file, sname.
        var overload = 0;
        if (options.Find(DhcpOptionCode.Overload) is { } value)
        {
            if (value is not [>= 1 and <= 3])
                return Fail(DhcpIgnoreReason.BadOverload, out reason);
            overload = value[0];
            if ((overload & 1) != 0 && !TryReadOptions(bytes.Slice(FileOffset, FileLength), options, out reason))
                return false;
            if ((overload & 2) != 0 && !TryReadOptions(bytes.Slice(NameOffset, NameLength), options, out reason))
                return false;
            // An overload option inside the overloaded fields would be joined to the first one.
            if (options.Find(DhcpOptionCode.Overload)!.Length != 1)
                return Fail(DhcpIgnoreReason.BadOverload, out reason);
        }

        if (options.Find(DhcpOptionCode.MessageType) is not { } type)
            return Fail(DhcpIgnoreReason.NoMessageType, out reason);
        if (type.Length != 1 || !HasRightLengths(options))
            return Fail(DhcpIgnoreReason.BadOptionLength, out reason);
        if (type[0] is < (byte)DhcpMessageType.Discover or > (byte)DhcpMessageType.Inform)
            return Fail(DhcpIgnoreReason.UnknownMessageType, out reason);

        packet = new DhcpPacket
        {
            Operation = bytes[0],
            Type = (DhcpMessageType)type[0],
            Hops = bytes[3],
            TransactionId = BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]),
            Seconds = BinaryPrimitives.ReadUInt16BigEndian(bytes[8..]),
            Flags = BinaryPrimitives.ReadUInt16BigEndian(bytes[10..]),
            ClientAddress = new IPAddress(bytes.Slice(12, 4)),
            YourAddress = new IPAddress(bytes.Slice(16, 4)),
            NextServer = new IPAddress(bytes.Slice(20, 4)),
            RelayAddress = new IPAddress(bytes.Slice(24, 4)),
            Mac = new MacAddress(bytes.Slice(28, 6)),
            ServerName = (overload & 2) != 0 ? "" : TextUntilNul(bytes.Slice(NameOffset, NameLength)),
            File = (overload & 1) != 0 ? "" : TextUntilNul(bytes.Slice(FileOffset, FileLength)),
            Options = options.Without(DhcpOptionCode.MessageType, DhcpOptionCode.Overload),
        };
        return true;
    }

    private static DhcpIgnoreReason CheckHeader(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < FixedLength)
            return DhcpIgnoreReason.TooShort;
        if (bytes.Length > LongestPacket)
            return DhcpIgnoreReason.TooLong;
        if (bytes[0] is not (DhcpPacket.BootRequest or DhcpPacket.BootReply))
            return DhcpIgnoreReason.NotARequest;
        // htype 1, hlen 6. Infiniband PXE says 32 with hlen 0 (RFC 4390); not served.
        if (bytes[1] != 1 || bytes[2] != 6)
            return DhcpIgnoreReason.NotEthernet;
        if (!new MacAddress(bytes.Slice(28, 6)).IsUsable)
            return DhcpIgnoreReason.UnusableHardwareAddress;
        if (BinaryPrimitives.ReadUInt32BigEndian(bytes[236..]) != MagicCookie)
            return DhcpIgnoreReason.NoMagicCookie;
        return DhcpIgnoreReason.None;
    }

    /// <summary>Adds what it reads to <paramref name="options"/>. A field without END (255) is accepted when it stops cleanly: some ROMs fill it to the brim.</summary>
    internal static bool TryReadOptions(ReadOnlySpan<byte> field, DhcpOptions options, out DhcpIgnoreReason reason)
    {
        reason = DhcpIgnoreReason.None;
        while (!field.IsEmpty)
        {
            var code = (DhcpOptionCode)field[0];
            if (code == DhcpOptionCode.End)
                return true;
            if (code == DhcpOptionCode.Pad)
            {
                field = field[1..];
                continue;
            }
            if (field.Length < 2 || field.Length < 2 + field[1])
                return Fail(DhcpIgnoreReason.TruncatedOption, out reason);
            options.Append(code, field.Slice(2, field[1]));
            field = field[(2 + field[1])..];
        }
        return true;
    }

    /// <summary>Options whose length the servers below rely on. A wrong GUID (97) or architecture (93) only counts as absent: ROMs get those wrong.</summary>
    private static bool HasRightLengths(DhcpOptions options) =>
        Is(options, DhcpOptionCode.RequestedAddress, 4)
        && Is(options, DhcpOptionCode.ServerIdentifier, 4)
        && Is(options, DhcpOptionCode.LeaseTime, 4)
        && Is(options, DhcpOptionCode.MaxMessageSize, 2);

    private static bool Is(DhcpOptions options, DhcpOptionCode code, int length) =>
        options.Find(code) is not { } bytes || bytes.Length == length;

    private static string TextUntilNul(ReadOnlySpan<byte> field)
    {
        var nul = field.IndexOf((byte)0);
        return Encoding.ASCII.GetString(nul < 0 ? field : field[..nul]);
    }

    private static bool Fail(DhcpIgnoreReason why, out DhcpIgnoreReason reason)
    {
        reason = why;
        return false;
    }
}
