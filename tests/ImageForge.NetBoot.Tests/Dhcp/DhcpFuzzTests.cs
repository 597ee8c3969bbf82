using System.Net;
using ImageForge.NetBoot.Dhcp;
using ImageForge.NetBoot.ProxyDhcp;
using Xunit.Abstractions;

namespace ImageForge.NetBoot.Tests.Dhcp;

/// <summary>Random and damaged packets through parser, both responders and writer: always a value, always a counted reason.</summary>
public sealed class DhcpFuzzTests(ITestOutputHelper output)
{
    private const int Packets = 150_000;

    private static readonly IPAddress Other = IPAddress.Parse("10.77.0.7");
    private static readonly BootPolicy Policy = new(_ => new BootFile("http://10.77.0.1/boot.ipxe"));

    [Theory]
    [InlineData(1)]
    [InlineData(20261120)]
    public void Every_packet_gets_an_answer_or_a_reason(int seed)
    {
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var real = RealPackets.Where(p => p.Length >= 240);
        var proxy = new ProxyDhcpResponder(Policy);
        var full = new DhcpServer(new DhcpServerOptions(IPAddress.Parse("10.77.0.10"), IPAddress.Parse("10.77.3.250"), IPAddress.Parse("255.255.252.0")), new MemoryLeaseStore(), Policy, TimeProvider.System);
        var counters = new DhcpCounters();
        var answered = 0;
        for (var i = 0; i < Packets; i++)
        {
            var bytes = i % 4 == 0 ? Noise(random) : Damage(random, real[random.Next(real.Length)]);
            if (!DhcpPacketParser.TryParse(bytes, out var packet, out var reason))
            {
                Assert.NotEqual(DhcpIgnoreReason.None, reason);
                counters.Record(new DhcpExchange(DhcpExchangeKind.Ignored, 67) { Reason = reason });
                continue;
            }
            IDhcpResponder responder = random.Next(2) == 0 ? proxy : full;
            var arrival = Requests.Broadcast with { Port = random.Next(3) == 0 ? 4011 : 67, ServerAddress = random.Next(3) == 0 ? Other : Requests.Server };
            var reply = responder.Respond(packet, arrival);
            counters.Record(reply.Exchange);
            Assert.Equal(reply.Exchange.Kind == DhcpExchangeKind.Ignored, reply.Exchange.Reason is not null);
            Assert.Equal(reply.Packet is null, reply.Destination is null);
            if (reply.Packet is null)
                continue;
            answered++;
            // What we send must be readable, and an answer to this client.
            Assert.True(DhcpPacketParser.TryParse(DhcpPacketWriter.Write(reply.Packet), out var read, out var why), why.ToString());
            Assert.Equal((packet.TransactionId, packet.Mac, (byte)2), (read.TransactionId, read.Mac, read.Operation));
        }
        output.WriteLine($"{answered} answered; " + string.Join(", ", counters.Ignored.Select(p => $"{p.Key} {p.Value}")));
        Assert.Equal(Packets, counters.Received);
        Assert.InRange(answered, Packets / 100, Packets);
        Assert.Equal(counters.Count(DhcpExchangeKind.Ignored), counters.Ignored.Values.Sum());
        // The generator reaches every reason a single packet can have.
        foreach (var reason in new[]
        {
            DhcpIgnoreReason.TooShort, DhcpIgnoreReason.TooLong, DhcpIgnoreReason.NotARequest, DhcpIgnoreReason.NotEthernet, DhcpIgnoreReason.UnusableHardwareAddress,
            DhcpIgnoreReason.NoMagicCookie, DhcpIgnoreReason.TruncatedOption, DhcpIgnoreReason.BadOverload, DhcpIgnoreReason.NoMessageType,
            DhcpIgnoreReason.UnknownMessageType, DhcpIgnoreReason.BadOptionLength, DhcpIgnoreReason.NotNetBoot, DhcpIgnoreReason.ServerMessage,
            DhcpIgnoreReason.NotOurService, DhcpIgnoreReason.ForAnotherServer, DhcpIgnoreReason.ForeignSubnet, DhcpIgnoreReason.UnknownLease,
        })
            Assert.True(counters.Count(reason) > 0, $"seed {seed}: no packet was ignored as {reason}");
    }

    private static byte[] Noise(Random random)
    {
        var bytes = new byte[random.Next(100) == 0 ? random.Next(9001, 9500) : random.Next(1200)];
        random.NextBytes(bytes);
        // Mostly past the cookie, or nothing behind it would be tried.
        if (random.Next(3) > 0 && bytes.Length >= 240)
        {
            new byte[] { 1, 1, 6 }.CopyTo(bytes, 0);
            bytes[28] &= 0xFE;
            new byte[] { 0x63, 0x82, 0x53, 0x63 }.CopyTo(bytes, 236);
        }
        return bytes;
    }

    private static byte[] Damage(Random random, byte[] real)
    {
        var bytes = (byte[])real.Clone();
        switch (random.Next(6))
        {
            case 0:
                return bytes[..random.Next(bytes.Length)];
            case 1:
                // A few bytes anywhere.
                for (var n = random.Next(1, 8); n > 0; n--)
                    bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
                return bytes;
            case 2:
                // Another message type, other addresses.
                bytes[242] = (byte)random.Next(10);
                if (random.Next(2) == 0)
                    new byte[] { 10, 77, (byte)random.Next(5), (byte)random.Next(256) }.CopyTo(bytes, random.Next(2) == 0 ? 12 : 24);
                return bytes;
            case 3:
                // Options cut out or doubled.
                var (from, length) = (random.Next(240, bytes.Length), random.Next(60));
                return random.Next(2) == 0
                    ? [.. bytes[..from], .. bytes[Math.Min(bytes.Length, from + length)..]]
                    : [.. bytes[..from], .. bytes[Math.Max(240, from - length)..]];
            case 4:
                // A made-up option in front.
                var value = new byte[random.Next(4) == 0 ? random.Next(256) : random.Next(6)];
                random.NextBytes(value);
                byte[] codes = [50, 51, 52, 54, 57, 60, 77, 82, 93, 97, 175, 43, 67];
                return [.. bytes[..240], codes[random.Next(codes.Length)], (byte)value.Length, .. value, .. bytes[240..]];
            default:
                return bytes;
        }
    }
}
