using System.Globalization;
using System.Text.RegularExpressions;

namespace ImageForge.Agent.Tests.RealServer;

/// <summary>The agent program and the server program, each in its own process, over real HTTPS on loopback.</summary>
public sealed class RealServerTests(ServerUnderTest server) : IClassFixture<ServerUnderTest>, IAsyncLifetime, IDisposable
{
    private const int DiskSize = 160 << 20;

    private static int s_tests;

    private readonly int _number = Interlocked.Increment(ref s_tests);
    private readonly TemporaryFolder _folder = new();

    private string SourceMac => $"52:54:00:aa:01:{_number:x2}";
    private string TargetMac => $"52:54:00:aa:02:{_number:x2}";
    private string Image => $"lab-{_number}";
    private string Source => _folder.File("source.img");
    private string Target => _folder.File("target.img");

    public async Task InitializeAsync()
    {
        // Random and different in every test, so that nothing compresses and every chunk has to travel.
        var content = new byte[DiskSize];
        new Random(_number).NextBytes(content);
        content[12 << 20] = 1;
        File.WriteAllBytes(Source, content);
        using (var target = File.Create(Target))
            target.SetLength(DiskSize);
        await server.AddHostAsync($"source-{_number}", SourceMac);
        await server.AddHostAsync($"target-{_number}", TargetMac);
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_disk_is_captured_and_deployed_byte_for_byte_and_a_second_capture_sends_nothing()
    {
        Assert.Contains("160 chunks sent", await RunAsync(await CaptureAsync(), SourceMac, Source), StringComparison.Ordinal);
        await RunAsync(await DeployAsync(), TargetMac, Target);

        Assert.Equal(File.ReadAllBytes(Source), File.ReadAllBytes(Target));
        Assert.Contains("version 2: 0 chunks sent", await RunAsync(await CaptureAsync(), SourceMac, Source), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_killed_during_capture_and_during_deploy_is_waited_for_and_nothing_starts_over()
    {
        var capture = await CaptureAsync();
        using (var agent = new AgentProcess(await server.CommandLineAsync(SourceMac), Source))
        {
            await UntilCapturingAsync();
            await server.KillAsync();
            await Task.Delay(1000);
            await server.StartAsync();
            Assert.Equal(0, await agent.EndAsync());
            var output = await agent.Output;
            Assert.Single(Regex.Matches(output, "checked in as"));
            // 160 MiB, and again what was on its way when the server died.
            Assert.InRange(Sent(output), 160, 172);
        }
        var deploy = await DeployAsync();
        using (var agent = new AgentProcess(await server.CommandLineAsync(TargetMac), Target))
        {
            await UntilWritingAsync();
            await server.KillAsync();
            await Task.Delay(1000);
            await server.StartAsync();
            Assert.Equal(0, await agent.EndAsync());
            Assert.InRange(Received(await agent.Output), 160, 172);
        }
        Assert.Equal(File.ReadAllBytes(Source), File.ReadAllBytes(Target));
        Assert.Equal("succeeded", (await server.TaskAsync(deploy)).GetProperty("state").GetString());
    }

    [Fact]
    public async Task A_machine_that_loses_power_resumes_after_its_next_boot_and_moves_only_the_rest()
    {
        var before = server.StoredChunks();
        var capture = await CaptureAsync();
        using (var first = new AgentProcess(await server.CommandLineAsync(SourceMac), Source))
        {
            await UntilCapturingAsync();
            await first.KillAsync();
        }
        var held = server.StoredChunks() - before;
        var output = await RunAsync(capture, SourceMac, Source);
        Assert.Contains("resumed", output, StringComparison.Ordinal);
        Assert.InRange(Sent(output), 1, 162 - held);

        var deploy = await DeployAsync();
        using (var first = new AgentProcess(await server.CommandLineAsync(TargetMac), Target))
        {
            await UntilWritingAsync();
            await first.KillAsync();
        }
        output = await RunAsync(deploy, TargetMac, Target);
        Assert.Contains("resumed", output, StringComparison.Ordinal);
        Assert.InRange(Received(output), 1, 155);
        Assert.Equal(File.ReadAllBytes(Source), File.ReadAllBytes(Target));
    }

    [Fact]
    public async Task A_cancelled_job_stops_the_agent_within_seconds_and_frees_the_host()
    {
        var job = await CaptureAsync();
        using var agent = new AgentProcess(await server.CommandLineAsync(SourceMac), Source);
        await UntilCapturingAsync();
        await server.CancelAsync(job);

        // Among them the two seconds for which the last message stands on the screen.
        Assert.Equal(0, await agent.EndAsync().WaitAsync(TimeSpan.FromSeconds(10)));
        Assert.Equal("cancelled", (await server.TaskAsync(job)).GetProperty("state").GetString());
        Assert.Contains("imageforge: task cancelled", await agent.Output, StringComparison.Ordinal);
        await CaptureAsync();
    }

    [Fact]
    public async Task A_disk_that_is_too_small_is_refused_and_stays_untouched()
    {
        await RunAsync(await CaptureAsync(), SourceMac, Source);
        using (var target = File.OpenWrite(Target))
            target.SetLength(DiskSize / 2);
        var job = await DeployAsync();
        using var agent = new AgentProcess(await server.CommandLineAsync(TargetMac), Target);

        Assert.Equal(11, await agent.EndAsync());
        Assert.False(File.ReadAllBytes(Target).AsSpan().ContainsAnyExcept((byte)0));
        var task = await server.TaskAsync(job);
        Assert.Equal("failed", task.GetProperty("state").GetString());
        Assert.Equal("disk", task.GetProperty("failure").GetProperty("fault").GetString());
    }

    [Fact]
    public async Task A_dry_run_shows_the_plan_and_writes_nothing()
    {
        await RunAsync(await CaptureAsync(), SourceMac, Source);
        var job = await server.OrderAsync(new { kind = "deploy", hosts = new[] { TargetMac }, image = Image, dryRun = true, deploy = new { rules = new[] { new { minBytes = DiskSize } } } });
        var output = await RunAsync(job, TargetMac, Target);

        Assert.Contains("Dry run, nothing was written.", output, StringComparison.Ordinal);
        Assert.False(File.ReadAllBytes(Target).AsSpan().ContainsAnyExcept((byte)0));
        var plan = (await server.TaskAsync(job)).GetProperty("plan");
        Assert.Equal(DiskSize, plan.GetProperty("bytesToWrite").GetInt64());
        Assert.Equal(0, plan.GetProperty("found").GetArrayLength());
    }

    [Fact]
    public async Task A_selected_volume_is_restored_and_every_other_byte_of_the_disk_stays()
    {
        const int Start = 60 << 20, Length = 40 << 20;
        string[] table = ["-o", "-n1:1M:+50M", $"-n2:{Start >> 20}M:+{Length >> 20}M", "-n3:110M:+40M", Source];
        using (var sgdisk = System.Diagnostics.Process.Start("/usr/sbin/sgdisk", table))
        {
            await sgdisk.WaitForExitAsync();
            Assert.Equal(0, sgdisk.ExitCode);
        }
        await RunAsync(await CaptureAsync(), SourceMac, Source);
        // The same table, and another life in every partition.
        var source = File.ReadAllBytes(Source);
        var before = (byte[])source.Clone();
        new Random(99).NextBytes(before.AsSpan(1 << 20, 149 << 20));
        File.WriteAllBytes(Target, before);
        var job = await server.OrderAsync(new { kind = "deploy", hosts = new[] { TargetMac }, image = Image, deploy = new { volumes = new[] { 2 } } });
        await RunAsync(job, TargetMac, Target);

        source.AsSpan(Start, Length).CopyTo(before.AsSpan(Start));
        Assert.Equal(before, File.ReadAllBytes(Target));
        var changes = (await server.TaskAsync(job)).GetProperty("plan").GetProperty("volumes").EnumerateArray().Select(v => v.GetProperty("change").GetString());
        Assert.Equal(["kept", "restored", "kept"], changes);
    }

    private Task<long> CaptureAsync() => server.OrderAsync(new { kind = "capture", hosts = new[] { SourceMac }, image = Image, level = 1, chunkSize = 1 << 20 });

    private Task<long> DeployAsync() => server.OrderAsync(new { kind = "deploy", hosts = new[] { TargetMac }, image = Image });

    /// <summary>One boot to its end, which must be a success.</summary>
    private async Task<string> RunAsync(long job, string mac, string disk)
    {
        using var agent = new AgentProcess(await server.CommandLineAsync(mac), disk);
        var code = await agent.EndAsync();
        var output = await agent.Output;
        Assert.True(code == 0, output);
        Assert.Equal("succeeded", (await server.TaskAsync(job)).GetProperty("state").GetString());
        return output;
    }

    private async Task UntilCapturingAsync()
    {
        var before = server.StoredChunks();
        await UntilAsync(() => server.StoredChunks() > before + 10);
    }

    private Task UntilWritingAsync()
    {
        var twelfthMiB = new byte[1];
        return UntilAsync(() =>
        {
            using var target = File.OpenHandle(Target, share: FileShare.ReadWrite);
            RandomAccess.Read(target, twelfthMiB, 12 << 20);
            return twelfthMiB[0] != 0;
        });
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        for (var i = 0; i < 3000; i++)
        {
            if (condition())
                return;
            await Task.Delay(10);
        }
        Assert.Fail("the task never got under way");
    }

    private static long Sent(string output) => Number(output, @"sent (\d+) MiB, received");

    private static long Received(string output) => Number(output, @"received (\d+) MiB");

    private static long Number(string output, string pattern) =>
        long.Parse(Regex.Match(output, pattern).Groups[1].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture);
}
