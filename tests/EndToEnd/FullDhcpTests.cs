using ImageForge.Contracts;
using ImageForge.Lab.Servers;

namespace ImageForge.EndToEnd;

public sealed class FullDhcpTests
{
    [Fact]
    public async Task On_an_isolated_network_our_own_dhcp_server_boots_a_machine_that_reports_its_inventory()
    {
        await using var site = await LabSite.StartAsync(
            "full-dhcp", siteDhcp: false, settings: ["BootServices:Dhcp=full", "BootServices:PoolFirst=10.77.0.60", "BootServices:PoolLast=10.77.0.80"]);
        var disk = Machines.BlankDisk(site);
        await site.AddHostAsync("target", Machines.TargetMac);
        var task = await site.OrderAsync(JobKind.Inventory, Machines.TargetMac, new() { ["after"] = "powerOff" });
        // The oldest processor that is supported, in one test.
        await using var machine = await site.PowerOnAsync(Machines.Target(disk) with { Cpu = "Nehalem" });
        await task.WaitForSuccessAsync(Machines.TaskLimit);
        await machine.WaitForEndAsync(TimeSpan.FromSeconds(60));

        Assert.Matches(@"address 10\.77\.0\.([67]\d|80)/24", machine.Console.Text);
        var inventory = (await site.Api.GetAsync($"api/v1/hosts/{Machines.TargetMac}"))!["inventory"]!;
        var found = inventory["disks"]!.AsArray().Single(d => (string?)d!["serial"] == Machines.TargetSerial)!;
        Assert.Equal(1L << 30, (long)found["sizeBytes"]!);
        Assert.Equal("virtio", (string?)found["bus"]);
        Assert.Equal(Machines.TargetMac, (string?)inventory["nics"]!.AsArray().Single(n => (bool)n!["bootNic"]!)!["mac"]);
        Assert.InRange((long)inventory["memoryBytes"]!, 900L << 20, 1024L << 20);
        Assert.Equal("LAB-0002", (string?)inventory["serial"]);
    }
}
