using System.Diagnostics;
using ImageForge.Contracts;
using ImageForge.Lab.Disks;
using ImageForge.Lab.Servers;

namespace ImageForge.EndToEnd;

public sealed class CancelTests
{
    [Fact]
    public async Task A_cancelled_job_stops_the_agent_within_seconds_and_the_machine_goes_back_to_its_disk()
    {
        await using var site = await LabSite.StartAsync("cancel");
        var disk = await SourceDisk.CopyAsync(Path.Combine(site.Network.Folder, "source.img"));
        await site.AddHostAsync("source", Machines.SourceMac);
        var task = await site.OrderAsync(JobKind.Capture, Machines.SourceMac, Machines.Image());
        await using var machine = await site.PowerOnAsync(Machines.Source(disk) with { Disks = [new(disk, Machines.SourceSerial, 6 << 20)] });
        await task.WaitForProgressAsync(20 << 20, Machines.TaskLimit);

        var clock = Stopwatch.StartNew();
        await task.CancelAsync();
        await machine.Console.WaitForAsync("imageforge: task cancelled", TimeSpan.FromSeconds(20));
        var stopped = clock.Elapsed.TotalSeconds;
        Measured.Write("cancel to agent stopped", $"{stopped:0.0} s");
        Assert.InRange(stopped, 0, 15);
        Assert.Equal("cancelled", (string?)(await task.WaitForEndAsync(TimeSpan.FromSeconds(20)))["state"]);

        await machine.WaitForInstalledSystemAsync();
    }
}
