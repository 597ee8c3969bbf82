using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using ImageForge.NetBoot.Tests.Lab;
using ImageForge.NetBoot.Tftp;
using Xunit.Abstractions;

namespace ImageForge.NetBoot.Tests.Tftp;

/// <summary>Random and damaged packets: into the parser, and at the live server while a real client downloads.</summary>
public sealed class TftpFuzzTests(ITestOutputHelper output)
{
    private const int Packets = 150_000;

    [Theory]
    [InlineData(1)]
    [InlineData(20261120)]
    public void Every_packet_is_a_request_or_has_a_reason(int seed)
    {
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var counts = new Dictionary<TftpIgnoreReason, int>();
        var requests = 0;
        for (var i = 0; i < Packets; i++)
        {
            if (!TftpRequestParser.TryParse(Make(random), out var request, out var defect))
            {
                counts[defect.Reason] = counts.GetValueOrDefault(defect.Reason) + 1;
                continue;
            }
            requests++;
            // Whatever was accepted stays below the root and agrees on sane numbers.
            var names = request.Path.Split('/');
            Assert.DoesNotContain("..", names);
            Assert.DoesNotContain("", names);
            Assert.DoesNotContain(request.Path, char.IsControl);
            var agreement = TftpAgreement.Negotiate(request, 1000, new TftpServerOptions(IPAddress.Loopback, 0), out _);
            Assert.InRange(agreement.BlockSize, 8, 1468);
            Assert.InRange(agreement.WindowSize, 1, 64);
        }
        output.WriteLine($"{requests} requests; " + string.Join(", ", counts.Select(p => $"{p.Key} {p.Value}")));
        Assert.Equal(Packets, requests + counts.Values.Sum());
        Assert.InRange(requests, Packets / 100, Packets);
        foreach (var reason in new[]
        {
            TftpIgnoreReason.TooShort, TftpIgnoreReason.TooLong, TftpIgnoreReason.UnknownOpcode, TftpIgnoreReason.NotARequest,
            TftpIgnoreReason.BadString, TftpIgnoreReason.UnknownMode, TftpIgnoreReason.MailMode, TftpIgnoreReason.WriteRefused, TftpIgnoreReason.BadPath,
        })
            Assert.True(counts.ContainsKey(reason), $"seed {seed}: no packet was refused as {reason}");
    }

    [NeedsRootFact("curl")]
    public async Task The_live_server_serves_a_real_client_while_it_is_pelted()
    {
        const int seed = 99, pelts = 20_000;
        output.WriteLine($"seed {seed}");
        await using var served = new ServedFolder(o => o with { RetransmitAfter = TimeSpan.FromMilliseconds(200), RetransmitAtMost = TimeSpan.FromMilliseconds(400), Retries = 3, MaxTransfersPerSource = 50 });
        served.Server.Start();
        var random = new Random(seed);
        using var stop = new CancellationTokenSource();

        var download = DownloadUntilStoppedAsync(served, stop);
        using (var attacker = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { Blocking = false })
        {
            attacker.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            var buffer = new byte[2048];
            EndPoint from = new IPEndPoint(IPAddress.Any, 0);
            for (var i = 0; i < pelts; i++)
            {
                attacker.SendTo(Make(random), served.Server.LocalEndPoint);
                // What comes back from transfers is answered with nonsense, some to the wrong transfer.
                if (attacker.Available > 0)
                {
                    attacker.ReceiveFrom(buffer, ref from);
                    attacker.SendTo(Make(random), from);
                }
                if (i % 50 == 0)
                    await Task.Delay(1);
            }
        }
        await stop.CancelAsync();
        var downloads = await download;

        output.WriteLine($"{downloads} downloads; {served.Server.Counters.Requests} packets at the request port; " + string.Join(", ", served.Server.Counters.Ignored.Select(p => $"{p.Key} {p.Value}")));
        Assert.True(downloads >= 1);
        Assert.False(served.Server.Completion.IsCompleted, "the server ended");
        Assert.InRange(served.Server.Counters.Requests, pelts / 2, long.MaxValue);
        Assert.True(served.Server.Counters.Ignored.Values.Sum() > pelts / 4, "hardly anything was counted");
        // Every transfer the pelting began is given up in the end.
        for (var i = 0; i < 1000 && served.Server.ActiveTransfers > 0; i++)
            await Task.Delay(10);
        Assert.Equal(0, served.Server.ActiveTransfers);
    }

    private static async Task<int> DownloadUntilStoppedAsync(ServedFolder served, CancellationTokenSource stop)
    {
        var count = 0;
        do
        {
            var target = served.Download($"copy{count}");
            var result = await Command.RunAsync(60, "curl", "-sS", "-o", target, $"tftp://127.0.0.1:{served.Port.ToString(CultureInfo.InvariantCulture)}/small");
            Assert.True(result.ExitCode == 0, $"download {count}: {result.Output}");
            Assert.Equal(served.Hash("small"), ServedFolder.HashOf(target));
            count++;
        }
        while (!stop.IsCancellationRequested);
        return count;
    }

    private static byte[] Make(Random random)
    {
        byte[] packet;
        switch (random.Next(5))
        {
            case 0:
                packet = new byte[random.Next(50) == 0 ? random.Next(1025, 1400) : random.Next(80)];
                random.NextBytes(packet);
                return packet;
            case 1:
                // A well-formed packet of any kind with noise behind.
                packet = new byte[2 + random.Next(30)];
                random.NextBytes(packet);
                (packet[0], packet[1]) = (0, (byte)random.Next(9));
                return packet;
            case 2:
                return Encoding.UTF8.GetBytes($"\0{(char)random.Next(1, 3)}{Names[random.Next(Names.Length)]}\0{Modes[random.Next(Modes.Length)]}\0{Option(random)}{Option(random)}");
            default:
                var real = Real[random.Next(Real.Length)];
                packet = (byte[])real.Clone();
                for (var n = random.Next(4); n > 0; n--)
                    packet[random.Next(packet.Length)] = (byte)random.Next(256);
                return random.Next(4) == 0 ? packet[..random.Next(packet.Length)] : packet;
        }
    }

    private static readonly byte[][] Real = RealPackets.Where(p => p.Length < 240);
    private static readonly string[] Names = ["small", "/small", "a\\b", "../x", "..\\x", "%2e%2e/x", "", "/", "x\u0001", new('n', 600), "etc/../..", "text"];
    private static readonly string[] Modes = ["octet", "OCTET", "netascii", "mail", "", "binary"];

    private static string Option(Random random) => random.Next(6) switch
    {
        0 => $"blksize\0{random.Next(-1, 70_000)}\0",
        1 => $"windowsize\0{random.Next(-1, 70_000)}\0",
        2 => $"timeout\0{random.Next(-1, 300)}\0",
        3 => "tsize\00\0",
        4 => "blksize\0",
        _ => "",
    };
}
