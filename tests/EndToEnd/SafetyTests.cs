using System.Globalization;
using System.Security.Cryptography;
using ImageForge.Contracts;
using ImageForge.Lab.Disks;
using ImageForge.Lab.Machines;
using ImageForge.Lab.Networks;
using ImageForge.Lab.Servers;

namespace ImageForge.EndToEnd;

/// <summary>Deploys that must not happen: nothing is written, the reason reaches the server and the screen, the machine does not loop.</summary>
public sealed class SafetyTests
{
    [Fact]
    public async Task Another_machine_with_the_hosts_mac_is_refused_at_check_in()
    {
        var captured = await CapturedImage.GetAsync();
        await using var site = await LabSite.StartAsync("wrong-uuid", captured.Data);
        // The host as it was seen on the day it was approved.
        await LabNetwork.TryInAsync(site.Network.Machines, "curl", "-s", "-m", "5",
            $"http://{LabNetwork.ServerAddress}:8080/boot/{Machines.TargetMac}?uuid=3f0c9d5e-1111-4222-8333-52540077ffff&serial=LAB-0009&platform=pcbios&arch=x86_64");
        await site.Api.PostAsync($"api/v1/hosts/{Machines.TargetMac}/approve");
        var disk = Machines.UsedDisk(site);
        var before = HashOf(disk);
        var task = await site.OrderAsync(JobKind.Deploy, Machines.TargetMac, Machines.Image());

        await using var machine = await site.PowerOnAsync(Machines.Target(disk));
        await machine.Console.WaitForAsync("imageforge: .*This is not the machine the task is for", Machines.BootLimit);
        await machine.Console.WaitForAsync("the agent has stopped", Machines.BootLimit);
        Assert.Contains((string?)(await task.ReadAsync())["state"], new[] { "booting", "queued", "failed" });
        Assert.Contains("identityMismatch", (await site.Api.GetAsync("api/v1/events"))!.ToJsonString(), StringComparison.Ordinal);
        await machine.CutPowerAsync();
        Assert.Equal(before, HashOf(disk));
    }

    [Fact]
    public async Task Two_disks_are_refused_with_the_list_until_the_job_names_one()
    {
        var captured = await CapturedImage.GetAsync();
        await using var site = await LabSite.StartAsync("two-disks", captured.Data);
        var (first, second) = (Machines.UsedDisk(site, "first.img"), Machines.UsedDisk(site, "second.img"));
        var options = Machines.Target(first) with { Disks = [new(first, "DISK-ONE"), new(second, "DISK-TWO")] };
        await site.AddHostAsync("target", Machines.TargetMac);
        var before = HashOf(first);

        var refused = await site.OrderAsync(JobKind.Deploy, Machines.TargetMac, Machines.Image());
        await using (var machine = await site.PowerOnAsync(options))
        {
            var end = await refused.WaitForEndAsync(Machines.TaskLimit);
            Assert.Equal("failed", (string?)end["state"]);
            var sentence = (string?)end["failure"]!["sentence"];
            Assert.Contains("DISK-ONE", sentence, StringComparison.Ordinal);
            Assert.Contains("DISK-TWO", sentence, StringComparison.Ordinal);
            await machine.Console.WaitForAsync("the agent has stopped", Machines.BootLimit);
        }
        Assert.Equal(before, HashOf(first));
        Assert.Equal(before, HashOf(second));

        var order = Machines.Image();
        order["disk"] = "DISK-TWO";
        var named = await site.OrderAsync(JobKind.Deploy, Machines.TargetMac, order);
        await using (var machine = await site.PowerOnAsync(options))
        {
            await named.WaitForSuccessAsync(Machines.TaskLimit);
            await machine.WaitForEndAsync(TimeSpan.FromSeconds(60));
        }
        Assert.Equal(before, HashOf(first));
        Assert.Empty(await DiskComparison.CompareAsync(await SourceDisk.GetAsync(), second));
    }

    [Fact]
    public async Task A_disk_that_is_too_small_is_left_alone_and_ctrl_alt_del_restarts_the_machine()
    {
        var captured = await CapturedImage.GetAsync();
        await using var site = await LabSite.StartAsync("too-small", captured.Data);
        var disk = RawImage.CreateUsed(Path.Combine(site.Network.Folder, "target.img"), 512 << 20, seed: 3);
        var before = HashOf(disk);
        await site.AddHostAsync("target", Machines.TargetMac);
        var task = await site.OrderAsync(JobKind.Deploy, Machines.TargetMac, Machines.Image());
        await using var machine = await site.PowerOnAsync(Machines.Target(disk) with { EndOnReboot = true });

        var end = await task.WaitForEndAsync(Machines.TaskLimit);
        Assert.Equal("failed", (string?)end["state"]);
        Assert.Equal("diskTooSmall", (string?)end["failure"]!["code"]);
        Assert.Equal("disk", (string?)end["failure"]!["fault"]);
        await machine.Console.WaitForAsync("imageforge: task failed diskTooSmall disk", Machines.BootLimit);
        await machine.Console.WaitForAsync("the agent has stopped", Machines.BootLimit);
        Assert.True(machine.IsRunning, "the machine did not stay on its message");
        await machine.ScreenshotAsync();
        await machine.PressCtrlAltDelAsync();
        await machine.WaitForEndAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(before, HashOf(disk));
    }

    [Fact]
    public async Task A_chunk_that_rotted_in_the_store_fails_the_deploy_and_the_disk_does_not_boot()
    {
        var captured = await CapturedImage.GetAsync();
        await using var site = await LabSite.StartAsync("rotten-chunk", captured.Data);
        var chunks = Directory.GetFiles(Path.Combine(site.Server.DataFolder, "store", "chunks"), "*", SearchOption.AllDirectories);
        // The largest: certainly content of a file.
        var victim = chunks.MaxBy(path => new FileInfo(path).Length)!;
        using (var file = File.OpenHandle(victim, FileMode.Open, FileAccess.ReadWrite))
            RandomAccess.Write(file, "rotten"u8, RandomAccess.GetLength(file) / 2);
        var disk = Machines.BlankDisk(site);
        await site.AddHostAsync("target", Machines.TargetMac);
        var task = await site.OrderAsync(JobKind.Deploy, Machines.TargetMac, Machines.Image());
        await using (var machine = await site.PowerOnAsync(Machines.Target(disk)))
        {
            var end = await task.WaitForEndAsync(Machines.TaskLimit);
            Assert.Equal("failed", (string?)end["state"]);
            Assert.Equal("image", (string?)end["failure"]!["fault"]);
            Assert.Contains(Path.GetFileName(victim)[..8], (string?)end["failure"]!["sentence"], StringComparison.Ordinal);
            await machine.Console.WaitForAsync("the agent has stopped", Machines.BootLimit);
        }
        await using (var machine = await site.PowerOnAsync(Machines.Target(disk)))
        {
            await machine.Console.WaitForAsync("not a bootable disk|No bootable device", Machines.BootLimit);
            Assert.DoesNotContain("GRUB", machine.Console.Text, StringComparison.OrdinalIgnoreCase);
        }
    }

    [Fact]
    public async Task A_disk_that_vanishes_in_the_middle_fails_the_deploy_at_that_point()
    {
        var captured = await CapturedImage.GetAsync();
        await using var site = await LabSite.StartAsync("vanished-disk", captured.Data);
        var disk = Machines.BlankDisk(site);
        await site.AddHostAsync("target", Machines.TargetMac);
        var task = await site.OrderAsync(JobKind.Deploy, Machines.TargetMac, Machines.Image());
        await using var machine = await site.PowerOnAsync(Machines.Target(disk) with { Disks = [new(disk, Machines.TargetSerial, 8 << 20)] });
        await task.WaitForProgressAsync(30 << 20, Machines.TaskLimit);
        await machine.PullDiskAsync(0);

        var end = await task.WaitForEndAsync(Machines.TaskLimit);
        Assert.Equal("failed", (string?)end["state"]);
        Assert.Equal("disk", (string?)end["failure"]!["fault"]);
        await machine.Console.WaitForAsync("imageforge: task failed .* disk: ", Machines.BootLimit);
        await machine.Console.WaitForAsync("the agent has stopped", Machines.BootLimit);
    }

    private static string HashOf(string path)
    {
        using var stream = File.OpenRead(path);
        return string.Create(CultureInfo.InvariantCulture, $"{stream.Length}:{Convert.ToHexStringLower(SHA256.HashData(stream))}");
    }
}
