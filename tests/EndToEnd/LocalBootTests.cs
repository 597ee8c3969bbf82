using ImageForge.Lab.Disks;
using ImageForge.Lab.Servers;

namespace ImageForge.EndToEnd;

/// <summary>Machines without a job: whatever happens, they end on their own disk.</summary>
public sealed class LocalBootTests
{
    [Fact]
    public async Task An_unknown_machine_is_recorded_as_discovered_and_boots_its_disk()
    {
        await using var site = await LabSite.StartAsync("unknown");
        var disk = await SourceDisk.CopyAsync(Path.Combine(site.Network.Folder, "source.img"));
        await using var machine = await site.PowerOnAsync(Machines.Source(disk));
        var (_, seconds) = await machine.WaitForInstalledSystemAsync();
        Measured.Write("power-on to installed system, unknown BIOS machine", $"{seconds:0.0} s");

        var host = (await site.Api.GetAsync($"api/v1/hosts/{Machines.SourceMac}"))!["host"]!;
        Assert.Equal("discovered", (string?)host["state"]);
        Assert.Equal(machine.Options.Uuid, (string?)host["uuid"], ignoreCase: true);
        Assert.Equal("LAB-0001", (string?)host["serial"]);
        Assert.Equal("Lab machine", (string?)host["product"]);
        Assert.Equal("ImageForge", (string?)host["manufacturer"]);
        // QEMU's own network ROM is iPXE of 2019: it was given the newer one first.
        Assert.Matches(@"(?s)iPXE 1\.0\.0.*iPXE 1\.21", machine.Console.Text);
    }

    // BIOS only: OVMF itself waits minutes for a PXE and an HTTP offer that nobody makes; with a server that fails later it is
    // our scripts that decide, and BootFaults/ tests those.
    [Fact]
    public async Task A_server_that_is_switched_off_keeps_no_machine_from_its_disk()
    {
        await using var site = await LabSite.StartAsync("off");
        await site.Server.KillAsync();
        var disk = await SourceDisk.CopyAsync(Path.Combine(site.Network.Folder, "source.img"));
        await using var machine = await site.PowerOnAsync(Machines.Target(disk));
        await machine.WaitForInstalledSystemAsync();
    }
}
