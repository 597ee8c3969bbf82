using ImageForge.Contracts;
using ImageForge.Server.Jobs;

namespace ImageForge.Server.Tests.Agents;

/// <summary>The disk that a task means is chosen at the check-in, or the task fails.</summary>
public sealed class CheckInDiskTests
{
    public static TheoryData<string, string?, DiskInventory[]> UnfitDisks => new()
    {
        { "noDisk", null, [] },
        { "noDisk", null, [ScriptedAgent.Disk("sda", "USB", removable: true)] },
        { "diskAmbiguous", null, [ScriptedAgent.Disk("sda", "DISK-A"), ScriptedAgent.Disk("sdb", "DISK-B")] },
        { "diskNotFound", "DISK-C", [ScriptedAgent.Disk("sda", "DISK-A"), ScriptedAgent.Disk("sdb", "DISK-B")] },
        { "diskAmbiguous", "DISK-A", [ScriptedAgent.Disk("sda", "DISK-A"), ScriptedAgent.Disk("sdb", "DISK-A")] },
    };

    [Theory]
    [MemberData(nameof(UnfitDisks))]
    public async Task Without_one_clear_disk_the_task_fails_with_the_list(string code, string? wanted, DiskInventory[] disks)
    {
        await using var server = await TestServer.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        agent.Inventory = ScriptedAgent.InventoryOf(disks);
        var task = await agent.OrderAsync(JobKind.Capture, new JobParameters(ImageName: "lab", Disk: wanted));
        var problem = await (await agent.SendCheckInAsync(agent.Request(await agent.BootAsync(task)))).ShouldBeAsync(409, code);
        Assert.Equal(Fault.Disk, problem.Fault);
        Assert.All(disks, d => Assert.Contains(d.Name, problem.Detail, StringComparison.Ordinal));
        var stored = await agent.TaskAsync(task);
        Assert.Equal((HostTaskState.Failed, code), (stored.State, stored.Failure?.Code));
    }

    [Fact]
    public async Task A_disk_named_by_serial_is_chosen_among_several()
    {
        await using var server = await TestServer.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        agent.Inventory = ScriptedAgent.InventoryOf(ScriptedAgent.Disk("sda", "DISK-A"), ScriptedAgent.Disk("sdb", "DISK-B"));
        var task = await agent.OrderAsync(JobKind.Capture, new JobParameters(ImageName: "lab", Disk: "DISK-B"));
        var (answer, _) = await agent.CheckInAsync(task);
        Assert.Equal("DISK-B", answer.Task.Capture!.Disk);
        Assert.Equal("serial DISK-B", (await agent.TaskAsync(task)).TargetDisk);
    }
}
