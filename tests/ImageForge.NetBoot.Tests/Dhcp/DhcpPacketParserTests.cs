using System.Net;
using ImageForge.NetBoot.Dhcp;

namespace ImageForge.NetBoot.Tests.Dhcp;

public sealed class DhcpPacketParserTests
{
    [Fact]
    public void Reads_every_header_field()
    {
        var packet = Requests.Read("ovmf-pxe-request");

        Assert.Equal(1, packet.Operation);
        Assert.Equal(DhcpMessageType.Request, packet.Type);
        Assert.Equal("52:54:00:aa:00:02", packet.Mac.ToString());
        Assert.Equal(0x5abe4bcau, packet.TransactionId);
        Assert.True(packet.WantsBroadcast);
        Assert.Equal(IPAddress.Parse("10.77.0.103"), packet.Options.Address(DhcpOptionCode.RequestedAddress));
        Assert.Equal(IPAddress.Parse("10.77.0.1"), packet.Options.Address(DhcpOptionCode.ServerIdentifier));
    }

    [Fact]
    public void Reads_back_what_the_writer_wrote()
    {
        var packet = Requests.Make(DhcpMessageType.Offer, null, (DhcpOptionCode.BootFileName, "x.efi"u8.ToArray())) with
        {
            Operation = 2,
            Hops = 3,
            Seconds = 515,
            Flags = 0x8000,
            ClientAddress = IPAddress.Parse("1.2.3.4"),
            YourAddress = IPAddress.Parse("5.6.7.8"),
            NextServer = IPAddress.Parse("9.10.11.12"),
            RelayAddress = IPAddress.Parse("13.14.15.16"),
            ServerName = "boot",
            File = "undionly.kpxe",
        };

        Assert.True(DhcpPacketParser.TryParse(DhcpPacketWriter.Write(packet), out var read, out _));

        Assert.Equal(packet.Options.ToArray(), read.Options.ToArray(), (a, b) => a.Key == b.Key && a.Value.SequenceEqual(b.Value));
        Assert.Equal(packet with { Options = read.Options }, read);
    }

    public static TheoryData<DhcpIgnoreReason, Action<byte[]>> Damages => new()
    {
        { DhcpIgnoreReason.NotARequest, b => b[0] = 3 },
        { DhcpIgnoreReason.NotEthernet, b => b[1] = 32 },
        { DhcpIgnoreReason.NotEthernet, b => b[2] = 16 },
        { DhcpIgnoreReason.UnusableHardwareAddress, b => b.AsSpan(28, 6).Clear() },
        { DhcpIgnoreReason.UnusableHardwareAddress, b => b.AsSpan(28, 6).Fill(255) },
        { DhcpIgnoreReason.NoMagicCookie, b => b[236]++ },
        { DhcpIgnoreReason.NoMessageType, b => b[240] = 250 },
        { DhcpIgnoreReason.UnknownMessageType, b => b[242] = 13 },
        { DhcpIgnoreReason.UnknownMessageType, b => b[242] = 0 },
        { DhcpIgnoreReason.BadOptionLength, b => (b[240], b[241], b[242]) = (53, 0, 0) },
        { DhcpIgnoreReason.BadOptionLength, b => new byte[] { 50, 3, 1, 2, 3, 255 }.CopyTo(b, 243) },
        { DhcpIgnoreReason.BadOptionLength, b => new byte[] { 57, 1, 1, 255 }.CopyTo(b, 243) },
        { DhcpIgnoreReason.TruncatedOption, b => new byte[] { 60, 255, 65 }.CopyTo(b, 243) },
        { DhcpIgnoreReason.BadOverload, b => new byte[] { 52, 1, 4, 255 }.CopyTo(b, 243) },
        { DhcpIgnoreReason.BadOverload, b => new byte[] { 52, 2, 1, 1, 255 }.CopyTo(b, 243) },
        // file says "one option of 200 bytes" but has 128 in all.
        { DhcpIgnoreReason.TruncatedOption, b => { new byte[] { 52, 1, 1, 255 }.CopyTo(b, 243); (b[108], b[109]) = (60, 200); } },
    };

    [Theory]
    [MemberData(nameof(Damages))]
    public void Gives_the_reason_for_a_damaged_packet(DhcpIgnoreReason expected, Action<byte[]> damage)
    {
        var bytes = DhcpPacketWriter.Write(Requests.Make(DhcpMessageType.Discover));
        Assert.True(DhcpPacketParser.TryParse(bytes, out _, out _));

        damage(bytes);

        Assert.False(DhcpPacketParser.TryParse(bytes, out _, out var reason));
        Assert.Equal(expected, reason);
    }

    [Theory]
    [InlineData(0, DhcpIgnoreReason.TooShort)]
    [InlineData(239, DhcpIgnoreReason.TooShort)]
    [InlineData(9001, DhcpIgnoreReason.TooLong)]
    public void Gives_the_reason_for_a_packet_of_wrong_length(int length, DhcpIgnoreReason expected)
    {
        Assert.False(DhcpPacketParser.TryParse(new byte[length], out _, out var reason));
        Assert.Equal(expected, reason);
    }

    [Fact]
    public void Every_truncation_of_a_real_packet_is_a_value()
    {
        var whole = RealPackets.Load("ipxe-1.0.0-discover");
        for (var length = 0; length < whole.Length; length++)
        {
            if (!DhcpPacketParser.TryParse(whole.AsSpan(0, length), out _, out var reason))
                Assert.Contains(reason, new[] { DhcpIgnoreReason.TooShort, DhcpIgnoreReason.TruncatedOption, DhcpIgnoreReason.NoMessageType });
        }
    }

    [Fact]
    public void Reads_options_from_file_and_sname_in_that_order()
    {
        // RFC 3396 §5: one option cut over the three fields is joined as options, file, sname.
        var bytes = DhcpPacketWriter.Write(Requests.Make(DhcpMessageType.Discover));
        new byte[] { 52, 1, 3, 60, 3, (byte)'P', (byte)'X', (byte)'E', 255 }.CopyTo(bytes, 243);
        new byte[] { 60, 3, (byte)'C', (byte)'l', (byte)'i', 255 }.CopyTo(bytes, 108);
        new byte[] { 60, 3, (byte)'e', (byte)'n', (byte)'t', 255 }.CopyTo(bytes, 44);

        Assert.True(DhcpPacketParser.TryParse(bytes, out var packet, out _));

        Assert.Equal("PXEClient", packet.Options.Text(DhcpOptionCode.VendorClass));
        Assert.Equal("", packet.File);
        Assert.Equal("", packet.ServerName);
    }

    [Fact]
    public void Long_options_are_cut_and_joined()
    {
        var value = Enumerable.Range(0, 600).Select(i => (byte)i).ToArray();
        var bytes = DhcpPacketWriter.Write(Requests.Make(DhcpMessageType.Discover, null, (DhcpOptionCode.UserClass, value)));

        Assert.Equal([77, 255], bytes[243..245]);
        Assert.True(DhcpPacketParser.TryParse(bytes, out var packet, out _));
        Assert.Equal(value, packet.Options.Find(DhcpOptionCode.UserClass));
    }

    [Fact]
    public void The_relays_option_is_written_last_and_the_packet_is_at_least_300_bytes()
    {
        var bytes = DhcpPacketWriter.Write(Requests.Make(DhcpMessageType.Offer, null, (DhcpOptionCode.RelayAgentInformation, [1, 1, 7]), (DhcpOptionCode.HostName, [65])));

        Assert.Equal(300, bytes.Length);
        Assert.Equal([53, 1, 2, 12, 1, 65, 82, 3, 1, 1, 7, 255], bytes[240..252]);
    }
}
