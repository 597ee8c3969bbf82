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
    private const long Middle = 40 << 20;

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

        await task.WaitForProgressAsync(Middle, Machines.TaskLimit);
        await site.Server.KillAsync();
        await Task.Delay(TimeSpan.FromSeconds(4));
        await site.Server.StartAsync();
        await task.WaitForSuccessAsync(Machines.TaskLimit);
        await machine.WaitForEndAsync(TimeSpan.FromSeconds(60));

        Assert.Single(Regex.Matches(machine.Console.Text, "ImageForge live image"));
        await AssertSameImageAsync(site, captured);
        await AssertSentOnceAsync(await traffic.ReceivedAsync(), captured);
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

        await task.WaitForProgressAsync(Middle, Machines.TaskLimit);
        await site.Server.KillAsync();
        await Task.Delay(TimeSpan.FromSeconds(4));
        await site.Server.StartAsync();
        await task.WaitForSuccessAsync(Machines.TaskLimit);
        await machine.WaitForEndAsync(TimeSpan.FromSeconds(60));

        Assert.Single(Regex.Matches(machine.Console.Text, "ImageForge live image"));
        Assert.Empty(await DiskComparison.CompareAsync(await SourceDisk.GetAsync(), disk));
        await AssertSentOnceAsync(await traffic.SentAsync(), captured);
    }

    internal static async Task AssertSameImageAsync(LabSite site, CapturedImage captured)
    {
        var version = (JsonObject)(await site.Api.GetAsync($"api/v1/images/{CapturedImage.Name}/versions/1"))!["version"]!;
        var expected = captured.Version["version"]!;
        Assert.Equal((string?)expected["manifestHash"], (string?)version["manifestHash"]);
        Assert.Equal((long)expected["storedBytes"]!, (long)version["storedBytes"]!);
    }

    /// <summary>
    /// Counted by the kernel on the wire: every stored byte once, plus headers, TLS, acknowledgements, heartbeats and the few
    /// chunks that were under way when the fault came (at most 8 MiB).
    /// </summary>
    internal static Task AssertSentOnceAsync(long wireBytes, CapturedImage captured)
    {
        var stored = (long)captured.Version["version"]!["storedBytes"]!;
        Assert.True(wireBytes > stored, $"only {wireBytes} bytes on the wire for {stored} stored: the counter counts nothing");
        Assert.True(wireBytes < stored * 106 / 100 + (8 << 20), $"{wireBytes} bytes on the wire for {stored} stored: work was done twice");
        Measured.Write("bytes on the wire for a transfer with a fault in the middle", $"{wireBytes >> 10} KiB for {stored >> 10} KiB stored");
        return Task.CompletedTask;
    }
}
