using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Xunit.Abstractions;

namespace ImageForge.Agent.Tests.RealServer;

/// <summary>A room on loopback: the server program multicasts to agent programs, each in its own process.</summary>
public sealed class MulticastTests(ServerUnderTest server, ITestOutputHelper output) : IClassFixture<ServerUnderTest>, IDisposable
{
    private const int Mib = 1 << 20, SmallDisk = 16 * Mib, LargeDisk = 48 * Mib;

    private static int s_tests;

    private readonly int _number = Interlocked.Increment(ref s_tests);
    private readonly TemporaryFolder _folder = new();

    private string SourceMac => $"52:54:00:aa:05:{_number:x2}";
    private string Image => $"room-{_number}";

    private string Mac(int machine) => $"52:54:00:aa:{0x10 + machine:x2}:{_number:x2}";

    private string[] Disks(string name) => [$"sda={_folder.File(name + "-a.img")}", $"sdb={_folder.File(name + "-b.img")}"];

    public void Dispose() => _folder.Dispose();

    /// <summary>An image of two disks with something in common, and machines with empty ones.</summary>
    private async Task<long> PrepareAsync(int machines)
    {
        var (a, b) = (new byte[SmallDisk], new byte[LargeDisk]);
        new Random(_number).NextBytes(b);
        b.AsSpan(8 * Mib, 4 * Mib).CopyTo(a.AsSpan(4 * Mib));
        File.WriteAllBytes(_folder.File("source-a.img"), a);
        File.WriteAllBytes(_folder.File("source-b.img"), b);
        await server.AddHostAsync($"room-source-{_number}", SourceMac);
        for (var i = 0; i < machines; i++)
        {
            await server.AddHostAsync($"room-{_number}-{i}", Mac(i));
            foreach (var (name, size) in ((string, int)[])[($"target{i}-a.img", SmallDisk), ($"target{i}-b.img", LargeDisk)])
                using (var target = File.Create(_folder.File(name)))
                    target.SetLength(size);
        }
        var capture = await server.OrderAsync(new { kind = "capture", hosts = new[] { SourceMac }, image = Image, level = 1, chunkSize = 256 << 10, capture = new { disks = new[] { "sda", "sdb" } } });
        using (var agent = new AgentProcess(await server.CommandLineAsync(SourceMac), Disks("source")))
            Assert.True(await agent.EndAsync() == 0, await agent.Output);
        Assert.Equal("succeeded", (await server.TaskAsync(capture)).GetProperty("state").GetString());
        return await server.OrderAsync(new { kind = "deploy", hosts = Enumerable.Range(0, machines).Select(Mac).ToArray(), image = Image, multicast = new { start = "firstHost" } });
    }

    [Fact]
    public async Task A_room_is_deployed_from_one_stream_whatever_is_killed_in_the_middle()
    {
        await server.MulticastAsync(80);
        await PrepareAsync(3);
        var agents = new List<AgentProcess>();
        for (var i = 0; i < 2; i++)
            agents.Add(new AgentProcess(await server.CommandLineAsync(Mac(i)), Disks($"target{i}")));
        try
        {
            await DiskProgress.UntilAsync(() => DiskProgress.HasContent(_folder, "target0-b.img", 12 * Mib) && DiskProgress.HasContent(_folder, "target1-b.img", 12 * Mib));
            // A machine loses its power, the server is killed, a machine comes late.
            await agents[1].KillAsync();
            await server.KillAsync();
            await Task.Delay(1000);
            await server.StartAsync();
            agents.Add(new AgentProcess(await server.CommandLineAsync(Mac(2)), Disks("target2")));
            agents.Add(new AgentProcess(await server.CommandLineAsync(Mac(1)), Disks("target1")));
            foreach (var agent in (AgentProcess[])[agents[0], agents[2], agents[3]])
            {
                var code = await agent.EndAsync();
                var text = await agent.Output;
                output.WriteLine(string.Join('\n', text.Split('\n').Where(l => !l.Contains("phase", StringComparison.Ordinal))));
                Assert.True(code == 0, text);
                Assert.Contains("joins multicast session", text, StringComparison.Ordinal);
                // Nothing, unless a busy machine kept an agent or the server from speaking for seconds.
                Assert.InRange(Number(text, @"came by multicast and (\d+) MiB over HTTP"), 0, 16);
            }
            // The first machine went on where it was when its server died; the second where its disk was.
            var first = await agents[0].Output;
            Assert.InRange(Regex.Count(first, "joins multicast session"), 2, 6);
            Assert.InRange(Number(await agents[3].Output, @"written \((\d+) MiB came by multicast"), 1, 45);
            Assert.Contains("resumed", await agents[3].Output, StringComparison.Ordinal);
        }
        finally
        {
            agents.ForEach(a => a.Dispose());
        }
        for (var i = 0; i < 3; i++)
            foreach (var disk in (string[])["a", "b"])
                Assert.True(File.ReadAllBytes(_folder.File($"source-{disk}.img")).AsSpan().SequenceEqual(File.ReadAllBytes(_folder.File($"target{i}-{disk}.img"))), $"disk {disk} of machine {i} differs");
        var session = await server.SessionAsync(await server.NewestSessionAsync());
        output.WriteLine(JsonSerializer.Serialize(session));
    }

    private static int Number(string text, string pattern) =>
        Regex.Match(text, pattern) is { Success: true } found ? int.Parse(found.Groups[1].Value, CultureInfo.InvariantCulture) : throw new InvalidOperationException($"{pattern} is not in {text}");
}
