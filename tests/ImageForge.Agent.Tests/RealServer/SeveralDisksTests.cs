using System.Text.RegularExpressions;

namespace ImageForge.Agent.Tests.RealServer;

/// <summary>An image of two disks, from one machine through the real server onto another.</summary>
public sealed class SeveralDisksTests(ServerUnderTest server) : IClassFixture<ServerUnderTest>, IDisposable
{
    private const int Mib = 1 << 20, SmallDisk = 24 * Mib, LargeDisk = 160 * Mib;

    private static int s_tests;

    private readonly int _number = Interlocked.Increment(ref s_tests);
    private readonly TemporaryFolder _folder = new();

    private string SourceMac => $"52:54:00:aa:03:{_number:x2}";
    private string TargetMac => $"52:54:00:aa:04:{_number:x2}";
    private string Image => $"set-{_number}";

    private string[] Sources => ["sda=" + _folder.File("system.img"), "sdb=" + _folder.File("data.img")];

    // The other way round: what is meant is told by size, not by name.
    private string[] Targets => ["sda=" + _folder.File("target-data.img"), "sdb=" + _folder.File("target-system.img")];

    public void Dispose() => _folder.Dispose();

    private async Task PrepareAsync()
    {
        foreach (var (name, size, seed) in new[] { ("system.img", SmallDisk, 1), ("data.img", LargeDisk, 2) })
        {
            var content = new byte[size];
            new Random(seed + 10 * _number).NextBytes(content);
            await File.WriteAllBytesAsync(_folder.File(name), content);
        }
        foreach (var (name, size) in new[] { ("target-system.img", SmallDisk), ("target-data.img", LargeDisk) })
            using (var target = File.Create(_folder.File(name)))
                target.SetLength(size);
        await server.AddHostAsync($"set-source-{_number}", SourceMac);
        await server.AddHostAsync($"set-target-{_number}", TargetMac);
    }

    private Task<long> CaptureAsync() =>
        server.OrderAsync(new { kind = "capture", hosts = new[] { SourceMac }, image = Image, level = 1, chunkSize = 1 << 20, capture = new { disks = new[] { "sda", "sdb" } } });

    private void AssertDeployed()
    {
        foreach (var name in new[] { "system.img", "data.img" })
            Assert.Equal(File.ReadAllBytes(_folder.File(name)), File.ReadAllBytes(_folder.File("target-" + name)));
    }

    [Fact]
    public async Task Are_captured_into_one_image_and_deployed_by_size_and_a_power_cut_resumes_without_starting_over()
    {
        await PrepareAsync();
        var output = await RunAsync(await CaptureAsync(), SourceMac, Sources);
        Assert.Contains("sda and sdb", output, StringComparison.Ordinal);
        Assert.Contains("184 chunks sent", output, StringComparison.Ordinal);
        Assert.Contains("0 chunks sent", await RunAsync(await CaptureAsync(), SourceMac, Sources), StringComparison.Ordinal);

        var deploy = await server.OrderAsync(new { kind = "deploy", hosts = new[] { TargetMac }, image = Image });
        using (var first = new AgentProcess(await server.CommandLineAsync(TargetMac), Targets))
        {
            // The second disk of the image is under way: the first one's content is all there.
            await DiskProgress.UntilAsync(() => DiskProgress.HasContent(_folder, "target-data.img", 12 * Mib));
            await first.KillAsync();
        }
        // No disk of an unfinished set has its first sector.
        Assert.False(File.ReadAllBytes(_folder.File("target-system.img")).AsSpan(0, 512).ContainsAnyExcept((byte)0));
        output = await RunAsync(deploy, TargetMac, Targets);
        Assert.Contains("resumed", output, StringComparison.Ordinal);
        // The first disk is kept but for its first chunk, and of the second what had arrived.
        Assert.InRange(long.Parse(Regex.Match(output, @"received (\d+) MiB").Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture), 1, 155);
        AssertDeployed();
        var plan = (await server.TaskAsync(deploy)).GetProperty("plan");
        Assert.Equal("sdb", plan.GetProperty("diskName").GetString());
        Assert.Equal("sda", plan.GetProperty("moreDisks")[0].GetProperty("diskName").GetString());
    }

    [Fact]
    public async Task Rules_say_which_disk_is_which_and_too_few_are_refused_before_anything_is_written()
    {
        await PrepareAsync();
        await RunAsync(await CaptureAsync(), SourceMac, Sources);

        var one = await server.OrderAsync(new { kind = "deploy", hosts = new[] { TargetMac }, image = Image, deploy = new { rules = new[] { new { serial = "sda" } } } });
        using (var agent = new AgentProcess(await server.CommandLineAsync(TargetMac), Targets))
            await agent.EndAsync();
        Assert.Equal("diskRulesMissing", (await server.TaskAsync(one)).GetProperty("failure").GetProperty("code").GetString());
        Assert.False(File.ReadAllBytes(_folder.File("target-data.img")).AsSpan().ContainsAnyExcept((byte)0));

        var both = await server.OrderAsync(new { kind = "deploy", hosts = new[] { TargetMac }, image = Image, deploy = new { rules = new[] { new { serial = "sdb" }, new { serial = "sda" } } } });
        await RunAsync(both, TargetMac, Targets);
        AssertDeployed();
    }

    private async Task<string> RunAsync(long job, string mac, string[] disks)
    {
        using var agent = new AgentProcess(await server.CommandLineAsync(mac), disks);
        var code = await agent.EndAsync();
        var output = await agent.Output;
        Assert.True(code == 0, output);
        Assert.Equal("succeeded", (await server.TaskAsync(job)).GetProperty("state").GetString());
        return output;
    }
}
