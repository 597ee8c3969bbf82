using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ImageForge.Contracts;
using ImageForge.Lab.Disks;
using ImageForge.Lab.Machines;
using ImageForge.Lab.Networks;
using ImageForge.Lab.Servers;

namespace ImageForge.EndToEnd;

/// <summary>kill -9 of the server in the middle of a transfer: the agent waits, reconnects and goes on where it was.</summary>
public sealed class ServerCrashTests
{
    private const long Throttle = 8 << 20;
    // Late enough that doing it all again would be far more than what may have been under way.
    private const long Middle = 96 << 20;
    private const long UnderWay = 12 << 20;

    [Fact]
    public async Task A_capture_outlives_a_killed_server_and_sends_nothing_twice()
    {
        var captured = await CapturedImage.GetAsync();
        await using var site = await LabSite.StartAsync("crash-capture");
        var disk = await SourceDisk.CopyAsync(Path.Combine(site.Network.Folder, "source.img"));
        await site.AddHostAsync("source", Machines.SourceMac);
        var traffic = await TrafficCounter.StartAsync(site.Network);
        var task = await site.OrderAsync(JobKind.Capture, Machines.SourceMac, Machines.Image());
        await using var machine = await site.PowerOnAsync(Machines.Source(disk) with { Disks = [new(disk, Machines.SourceSerial, Throttle)] });

        await KillInTheMiddleAsync(site, task, machine);

        var stored = await AssertSameImageAsync(site, captured);
        await AssertSentOnceAsync(await traffic.ReceivedAsync(), stored);
    }

    [Fact]
    public async Task A_deploy_outlives_a_killed_server_and_fetches_nothing_twice()
    {
        var captured = await CapturedImage.GetAsync();
        await using var site = await LabSite.StartAsync("crash-deploy", captured.Data);
        var disk = Machines.UsedDisk(site);
        await site.AddHostAsync("target", Machines.TargetMac);
        var traffic = await TrafficCounter.StartAsync(site.Network);
        var task = await site.OrderAsync(JobKind.Deploy, Machines.TargetMac, Machines.Image());
        await using var machine = await site.PowerOnAsync(Machines.Target(disk) with { Disks = [new(disk, Machines.TargetSerial, Throttle)] });

        await KillInTheMiddleAsync(site, task, machine);

        Assert.Empty(await DiskComparison.CompareAsync(await SourceDisk.GetAsync(), disk));
        await AssertSentOnceAsync(await traffic.SentAsync(), captured.StoredBytes);
    }

    /// <summary>One boot of the machine is enough for all of it.</summary>
    private static async Task KillInTheMiddleAsync(LabSite site, HostTaskHandle task, VirtualMachine machine)
    {
        await task.WaitForProgressAsync(Middle, Machines.TaskLimit);
        await site.Server.KillAsync();
        await Task.Delay(TimeSpan.FromSeconds(4));
        await site.Server.StartAsync();
        await task.WaitForSuccessAsync(Machines.TaskLimit);
        await machine.WaitForEndAsync(TimeSpan.FromSeconds(60));
        Assert.Single(Regex.Matches(machine.Console.Text, "ImageForge live image"));
    }

    /// <summary>
    /// The version is the same by its hash and lacks nothing. Its stored size may differ: the level adapts to processor and network.
    /// Returns that size.
    /// </summary>
    internal static async Task<long> AssertSameImageAsync(LabSite site, CapturedImage captured)
    {
        var version = (JsonObject)(await site.Api.GetAsync($"api/v1/images/{CapturedImage.Name}/versions/1"))!["version"]!;
        Assert.Equal((string?)captured.Version["version"]!["manifestHash"], (string?)version["manifestHash"]);
        return (long)version["storedBytes"]!;
    }

    /// <summary>
    /// Counted by the kernel on the wire: every stored byte once, plus headers, TLS, acknowledgements, heartbeats and what was
    /// under way when the fault came: at most the 24 MiB of content that the engines hold in memory, about half of it after compression.
    /// </summary>
    internal static Task AssertSentOnceAsync(long wireBytes, long storedBytes)
    {
        Assert.True(wireBytes > storedBytes, $"only {wireBytes} bytes on the wire for {storedBytes} stored: the counter counts nothing");
        Assert.True(wireBytes < storedBytes * 106 / 100 + UnderWay, $"{wireBytes} bytes on the wire for {storedBytes} stored: work was done twice");
        Measured.Write("bytes on the wire for a transfer with a fault in the middle", $"{wireBytes >> 10} KiB for {storedBytes >> 10} KiB stored");
        return Task.CompletedTask;
    }
}
