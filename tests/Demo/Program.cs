using System.Diagnostics;
using System.Text.Json.Nodes;
using ImageForge.Contracts;
using ImageForge.Lab;
using ImageForge.Lab.Disks;
using ImageForge.Lab.Machines;
using ImageForge.Lab.Servers;

// ./forge demo: the whole loop in the virtual lab, told as it happens.

const string SourceMac = "52:54:00:77:00:01";
const string TargetMac = "52:54:00:77:00:02";
var clock = Stopwatch.StartNew();

try
{
    Say("making the source disk: GPT, an ESP, a small Linux on ext4, 2,400 files on NTFS (once, then kept)");
    var source = await SourceDisk.GetAsync();
    Say("starting the lab: a network of its own, the site's DHCP server (dnsmasq, knows nothing of us), our server");
    await using var site = await LabSite.StartAsync("demo");
    var disk = await SourceDisk.CopyAsync(Path.Combine(site.Network.Folder, "source.img"));

    Say("1. a machine nobody knows is switched on (BIOS, network first)");
    await using (var machine = await site.PowerOnAsync(new("source", SourceMac) { Disks = [new(disk, "SOURCE-DISK")] }))
    {
        var (match, seconds) = await machine.Console.WaitForAsync($"{SourceDisk.Marker}.*", TimeSpan.FromSeconds(180));
        Say($"   it is now known as discovered, and has booted its own disk after {seconds:0.0} s: {match.Value.Trim()}");
        await machine.ShutDownInstalledSystemAsync();
    }

    Say("2. it is approved, a capture is ordered, it is switched on again");
    await site.Api.PostAsync($"api/v1/hosts/{SourceMac}/approve");
    var capture = await site.OrderAsync(JobKind.Capture, SourceMac, new JsonObject { ["image"] = "demo", ["after"] = "powerOff" });
    await using (var machine = await site.PowerOnAsync(new("source", SourceMac) { Disks = [new(disk, "SOURCE-DISK")] }))
        await FollowAsync(capture);

    Say("3. a blank machine is switched on (UEFI) with a deploy waiting for it");
    var target = RawImage.CreateBlank(Path.Combine(site.Network.Folder, "target.img"), SourceDisk.Bytes);
    await site.AddHostAsync("blank", TargetMac);
    var deploy = await site.OrderAsync(JobKind.Deploy, TargetMac, new JsonObject { ["image"] = "demo", ["after"] = "powerOff" });
    await using (var machine = await site.PowerOnAsync(new("target", TargetMac, Firmware.UefiPxe) { Disks = [new(target, "TARGET-DISK")] }))
        await FollowAsync(deploy);

    Say("4. both disks are compared: partition tables, used blocks, every file, each file system's own checker");
    var differences = await DiskComparison.CompareAsync(disk, target);
    foreach (var difference in differences)
        Say($"   {difference}");
    Say(differences.Count == 0 ? "   they are equal, and nothing of deleted files was copied" : "   they differ");

    Say("5. the deployed machine is switched on again, nothing waits for it");
    await using (var machine = await site.PowerOnAsync(new("target", TargetMac, Firmware.UefiPxe) { Disks = [new(target, "TARGET-DISK")] }))
    {
        var (match, seconds) = await machine.Console.WaitForAsync($"{SourceDisk.Marker}.*", TimeSpan.FromSeconds(180));
        Say($"   it booted its own disk after {seconds:0.0} s: {match.Value.Trim()}");
    }
    Say($"the whole loop took {clock.Elapsed.TotalSeconds:0} s in emulated machines");
    return differences.Count == 0 ? 0 : 1;
}
catch (LabException e)
{
    Say($"the demo stopped: {e.Message}");
    return 1;
}

void Say(string text) => Console.WriteLine($"[{clock.Elapsed.TotalSeconds,6:0.0}] {text}");

async Task FollowAsync(HostTaskHandle task)
{
    var last = "";
    var end = await task.WaitForAsync(now =>
    {
        var (done, total) = ((long)now["bytesDone"]!, (long)now["bytesTotal"]!);
        var share = total > 0 ? $" {done * 100 / total} % of {total >> 20} MiB" : "";
        var line = $"   {(string?)now["state"]}{share}, {(long)now["bytesSent"]! >> 20} MiB sent, {(double)now["bytesPerSecond"]! / (1 << 20):0.0} MiB/s";
        if (line != last)
            Say(last = line);
        return (string?)now["state"] is "succeeded" or "failed" or "cancelled";
    }, "to end", TimeSpan.FromMinutes(10));
    if ((string?)end["state"] != "succeeded")
        throw new LabException(await task.StoryAsync());
    Say($"   {(string?)end["summary"]}");
}
