using ImageForge.Contracts;
using ImageForge.Lab.Disks;
using ImageForge.Lab.Networks;
using ImageForge.Lab.Servers;

namespace ImageForge.EndToEnd;

/// <summary>The machine's plug is pulled in the middle; after the next boot the task goes on where it was.</summary>
public sealed class PowerCutTests
{
    private const long Throttle = 8 << 20;
    // Late enough that doing it all again would be far more than what may have been under way.
    private const long Middle = 96 << 20;

    [Fact]
    public async Task A_capture_resumes_after_a_power_cut_and_sends_nothing_twice()
    {
        var captured = await CapturedImage.GetAsync();
        await using var site = await LabSite.StartAsync("cut-capture");
        var disk = await SourceDisk.CopyAsync(Path.Combine(site.Network.Folder, "source.img"));
        await site.AddHostAsync("source", Machines.SourceMac);
        var traffic = await TrafficCounter.StartAsync(site.Network);
        var task = await site.OrderAsync(JobKind.Capture, Machines.SourceMac, Machines.Image());
        var slow = Machines.Source(disk) with { Disks = [new(disk, Machines.SourceSerial, Throttle)] };

        await using (var machine = await site.PowerOnAsync(slow))
        {
            await task.WaitForProgressAsync(Middle, Machines.TaskLimit);
            await machine.CutPowerAsync();
        }
        await using (var machine = await site.PowerOnAsync(Machines.Source(disk)))
        {
            await machine.Console.WaitForAsync("imageforge: checked in.*resumed", Machines.BootLimit);
            await task.WaitForSuccessAsync(Machines.TaskLimit);
            await machine.WaitForEndAsync(TimeSpan.FromSeconds(60));
        }
        var stored = await ServerCrashTests.AssertSameImageAsync(site, captured);
        await ServerCrashTests.AssertSentOnceAsync(await traffic.ReceivedAsync(), stored);
    }

    [Fact]
    public async Task A_half_written_disk_never_boots_and_the_deploy_resumes_once_the_server_is_back()
    {
        var captured = await CapturedImage.GetAsync();
        await using var site = await LabSite.StartAsync("cut-deploy", captured.Data);
        // The target can boot before: its MBR and BIOS partition hold a working GRUB, the rest is another system's.
        var disk = Machines.UsedDisk(site);
        RawImage.Copy(await SourceDisk.GetAsync(), 0, 2 << 20, disk, 0);
        await site.AddHostAsync("target", Machines.TargetMac);
        var traffic = await TrafficCounter.StartAsync(site.Network);
        var task = await site.OrderAsync(JobKind.Deploy, Machines.TargetMac, Machines.Image());
        var slow = Machines.Target(disk) with { Disks = [new(disk, Machines.TargetSerial, Throttle)] };

        await using (var machine = await site.PowerOnAsync(slow))
        {
            await task.WaitForProgressAsync(Middle, Machines.TaskLimit);
            await machine.CutPowerAsync();
        }

        await site.Server.KillAsync();
        await using (var machine = await site.PowerOnAsync(Machines.Target(disk)))
        {
            // SeaBIOS's words when the disk's first sector is no boot sector.
            await machine.Console.WaitForAsync("not a bootable disk|No bootable device", Machines.BootLimit);
            Assert.DoesNotContain("GRUB", machine.Console.Text, StringComparison.OrdinalIgnoreCase);
        }

        await site.Server.StartAsync();
        await using (var machine = await site.PowerOnAsync(Machines.Target(disk)))
        {
            await machine.Console.WaitForAsync("imageforge: checked in.*resumed", Machines.BootLimit);
            await task.WaitForSuccessAsync(Machines.TaskLimit);
            await machine.WaitForEndAsync(TimeSpan.FromSeconds(60));
        }
        Assert.Empty(await DiskComparison.CompareAsync(await SourceDisk.GetAsync(), disk));
        await ServerCrashTests.AssertSentOnceAsync(await traffic.SentAsync(), captured.StoredBytes);
    }
}
