using System.Globalization;
using System.Net;
using System.Text.Json;
using ImageForge.NetBoot.Dhcp;
using ImageForge.NetDoctor.DhcpServers;
using ImageForge.NetDoctor.Echoes;
using ImageForge.NetDoctor.Firewall;
using ImageForge.NetDoctor.Frames;
using ImageForge.NetDoctor.Paths;
using ImageForge.NetDoctor.Ports;
using ImageForge.NetDoctor.Queriers;
using ImageForge.NetDoctor.Sockets;
using ImageForge.NetDoctor.Tests.Queriers;
using Xunit.Abstractions;

namespace ImageForge.NetDoctor.Tests.Fuzzing;

/// <summary>Whatever stands in a packet, nothing throws and nothing grows. The seed is printed; IMAGEFORGE_FUZZ_SEED repeats a run, IMAGEFORGE_FUZZ_FACTOR makes it longer.</summary>
public sealed class NetworkFuzzTests(ITestOutputHelper output)
{
    private const int Cases = 60_000;

    [Fact]
    public void Group_messages_and_frames_are_read_or_refused()
    {
        byte[][] igmp = [GroupMessages.V1Query, GroupMessages.V2Query, GroupMessages.V3Query, GroupMessages.V3SlowQuery, GroupMessages.V3Report, GroupMessages.Leave];
        byte[][] mld = [GroupMessages.MldQuery, GroupMessages.MldV2Query, GroupMessages.MldDone, GroupMessages.MldReport];
        var (watch, echoes, dhcp) = (new QuerierWatch(TimeProvider.System), new EchoWatch(1), new DhcpWatch(new DhcpQuestions(), "eth0", new HashSet<IPAddress>()));
        var read = 0;
        Run(random =>
        {
            var isV6 = random.Next(2) == 0;
            var bytes = isV6 ? Damage(random, mld[random.Next(mld.Length)]) : InIpV4(random, Damage(random, igmp[random.Next(igmp.Length)]));
            if (!isV6 && random.Next(2) == 0 && bytes.Length >= 28)
                // With its checksum right the damage gets further.
                FixIgmp(bytes);
            // An array of exactly that length: one byte too far throws.
            var frame = new HeardFrame(isV6 ? (ushort)0x86DD : (ushort)0x0800, (HeardAs)random.Next(5), null, bytes);
            watch.Take(frame);
            echoes.Take(frame);
            dhcp.Take(frame);
            PathProbe.Read(bytes, IPAddress.Loopback, 1, 1);
            if (bytes.Length > 20 && IgmpParser.TryParse(bytes.AsSpan(20), out _))
                read++;
        });
        Assert.True(read > Cases / 100, $"only {read} got through to the parser");
        Assert.InRange(watch.Queries.Count, 100, 1000);
        Assert.Empty(dhcp.Answers);
    }

    [Fact]
    public void Answers_of_dhcp_servers_become_printable_text_or_nothing()
    {
        var questions = new DhcpQuestions();
        Assert.True(DhcpPacketParser.TryParse(questions.Discover(AskedAs.Bios), out var question, out _));
        var answer = question with { Operation = 2, Type = DhcpMessageType.Offer, YourAddress = IPAddress.Parse("10.0.0.5"), NextServer = IPAddress.Parse("10.0.0.9"), File = "boot\u0001file", ServerName = "name" };
        answer.Options.Set(DhcpOptionCode.ServerIdentifier, IPAddress.Parse("10.0.0.2"));
        answer.Options.Set(DhcpOptionCode.TftpServerName, "ser\x1b[31mver\0");
        answer.Options.Set(DhcpOptionCode.VendorSpecific, [6, 1, 8, 255]);
        answer.Options.Set(DhcpOptionCode.Router, [10, 0, 0, 254, 10, 0, 0, 253]);
        var bytes = DhcpPacketWriter.Write(answer);
        var watch = new DhcpWatch(questions, "eth0", new HashSet<IPAddress>());
        watch.Take(bytes, IPAddress.Parse("10.0.0.2"), null);
        Assert.Equal(("boot.file", "ser.[31mver", "060108ff", "10.0.0.254"), (watch.Answers[0].BootFile, watch.Answers[0].TftpServer, watch.Answers[0].VendorOptions, watch.Answers[0].Router));

        Run(random => watch.Take(Damage(random, bytes), IPAddress.Parse("10.0.0.2"), null));
        Assert.Equal(200, watch.Answers.Count);
        Assert.All(watch.Answers, a => Assert.DoesNotContain(JsonSerializer.Serialize(new[] { a.BootFile, a.TftpServer, a.VendorClass, a.Server, a.NextServer }).Where(c => c != '\\'), char.IsControl));
        // The judge takes them all.
        Assert.NotEmpty(DhcpCheck.Judge("eth0", watch.Answers, new HashSet<string>(), true, TimeSpan.FromSeconds(4)).ToList());
    }

    [Fact]
    public void Rules_and_tables_of_any_text_are_judged_or_refused()
    {
        const string Rules = """{"nftables":[{"chain":{"family":"inet","table":"f","name":"in","type":"filter","hook":"input","policy":"drop"}},{"set":{"family":"inet","name":"s","table":"f","elem":[1,{"range":[2,3]},{"prefix":{"addr":"1.2.3.4","len":8}}]}},{"rule":{"family":"inet","table":"f","chain":"in","expr":[{"match":{"op":"==","left":{"payload":{"protocol":"udp","field":"dport"}},"right":"@s"}},{"vmap":{"key":{"ct":{"key":"state"}},"data":{"set":[["new",{"jump":{"target":"in"}}]]}}},{"jump":{"target":"in"}},{"goto":{"target":"in"}},{"drop":null}]}}]}""";
        const string Table = "h\n 412: 0100007F:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000 0 0 18243 2 0 0\n";
        var packets = FirewallCheck.Packets("eth0", WantedPort.Defaults(80, 443), new MulticastPlan(1, 2), hasV6: true);
        var judged = 0;
        Run(random =>
        {
            _ = SocketTable.Parse("udp", Mix(random, Table)).Count();
            _ = Routes.Default(Mix(random, "I\neth0\t00000000\tFE004D0A\t0003\t0\t0\t100\t00000000\t0\n"));
            try
            {
                var ruleset = Ruleset.Parse(Mix(random, Rules));
                _ = FirewallCheck.Judge("eth0", new FirewallReading(ruleset, null, null), packets).ToList();
                judged++;
            }
            catch (JsonException)
            {
            }
        }, Cases / 20);
        Assert.True(judged > Cases / 200, $"only {judged} were JSON");
    }

    private void Run(Action<Random> attempt, int cases = Cases)
    {
        var seed = int.Parse(Environment.GetEnvironmentVariable("IMAGEFORGE_FUZZ_SEED") ?? Random.Shared.Next().ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
        var factor = int.Parse(Environment.GetEnvironmentVariable("IMAGEFORGE_FUZZ_FACTOR") ?? "1", CultureInfo.InvariantCulture);
        output.WriteLine($"seed {seed}, {cases * factor} cases");
        for (var i = 0; i < cases * factor; i++)
        {
            try
            {
                attempt(new Random(unchecked(seed + i)));
            }
            catch (Exception e) when (e is not Xunit.Sdk.XunitException)
            {
                throw new InvalidOperationException($"case {i} (IMAGEFORGE_FUZZ_SEED={unchecked(seed + i)}): {e.GetType().Name}: {e.Message}", e);
            }
        }
    }

    private static byte[] Damage(Random random, byte[] real)
    {
        var bytes = (byte[])real.Clone();
        for (var n = random.Next(4); n > 0; n--)
            bytes[random.Next(bytes.Length)] = (byte)(random.Next(4) switch { 0 => 0, 1 => 255, 2 => bytes[random.Next(bytes.Length)], _ => random.Next(256) });
        return random.Next(4) switch
        {
            0 => bytes[..random.Next(bytes.Length + 1)],
            1 => [.. bytes, .. new byte[random.Next(64)]],
            _ => bytes,
        };
    }

    private static byte[] InIpV4(Random random, byte[] payload)
    {
        byte[] packet = [0x45, 0, 0, (byte)(20 + payload.Length), 0, 0, 0, 0, 1, 2, 0, 0, 10, 0, 0, (byte)random.Next(256), 224, 0, 0, 1, .. payload];
        return random.Next(8) == 0 ? Damage(random, packet) : packet;
    }

    private static void FixIgmp(byte[] packet)
    {
        packet[22] = packet[23] = 0;
        var sum = InternetChecksum.Of(packet.AsSpan(20));
        (packet[22], packet[23]) = ((byte)(sum >> 8), (byte)sum);
    }

    private static string Mix(Random random, string text)
    {
        string[] pieces = ["null", "{}", "[]", "0", "-1", "1e99", "\"\"", "[[]]", "{\"set\":[]}", "99999999999999999999"];
        var (from, length) = (random.Next(text.Length), random.Next(12));
        return random.Next(3) switch
        {
            // A value for a value: still JSON, with other types.
            0 => System.Text.RegularExpressions.Regex.Replace(text, "(?<=[:\\[,])(\"[^\"]*\"|[0-9]+|null)(?=[,}\\]])", m => random.Next(6) == 0 ? pieces[random.Next(pieces.Length)] : m.Value),
            1 => text.Remove(from, Math.Min(length, text.Length - from)),
            _ => text.Insert(from, pieces[random.Next(pieces.Length)]),
        };
    }
}
