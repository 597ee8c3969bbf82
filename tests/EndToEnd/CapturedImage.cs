using System.Text.Json.Nodes;
using ImageForge.Contracts;
using ImageForge.Lab;
using ImageForge.Lab.Disks;
using ImageForge.Lab.Servers;

namespace ImageForge.EndToEnd;

/// <summary>
/// The source disk, captured once per test run by a BIOS machine through proxyDHCP beside dnsmasq. Tests that deploy start
/// their own server on a copy of the data folder this leaves; the test of the capture itself looks at what is kept here.
/// </summary>
internal sealed record CapturedImage(
    CapturedData Data, JsonObject Task, JsonObject Version, double CheckInSeconds, string Console, bool SourceUnchanged, string SiteDhcpLog)
{
    public const string Name = "lab-image";

    public long StoredBytes => (long)Version["version"]!["storedBytes"]!;

    private static readonly Lazy<Task<CapturedImage>> Once = new(CaptureAsync);

    public static Task<CapturedImage> GetAsync() => Once.Value;

    private static async Task<CapturedImage> CaptureAsync()
    {
        await using var site = await LabSite.StartAsync("capture");
        var disk = await SourceDisk.CopyAsync(Path.Combine(site.Network.Folder, "source.img"));
        await site.AddHostAsync("source", Machines.SourceMac);
        var task = await site.OrderAsync(JobKind.Capture, Machines.SourceMac, Machines.Image());
        await using var machine = await site.PowerOnAsync(Machines.Source(disk));
        var (_, checkedIn) = await machine.Console.WaitForAsync("imageforge: checked in", Machines.BootLimit);
        var end = await task.WaitForSuccessAsync(Machines.TaskLimit);
        await machine.WaitForEndAsync(TimeSpan.FromSeconds(60));
        var version = (await site.Api.GetAsync($"api/v1/images/{Name}/versions/1"))!.AsObject();
        var unchanged = await SameAsync(disk, await SourceDisk.GetAsync());

        await site.Server.KillAsync();
        var kept = Path.Combine(Repository.LabFolder, "captured");
        if (Directory.Exists(kept))
            Directory.Delete(kept, recursive: true);
        await Command.RunAsync("cp", "-a", site.Server.DataFolder, kept);
        return new(new(kept, site.Api.Token!), end, version, checkedIn, machine.Console.Text, unchanged, site.Dhcp!.Log);
    }

    private static async Task<bool> SameAsync(string a, string b) => (await Command.TryAsync("cmp", a, b)).ExitCode == 0;
}
