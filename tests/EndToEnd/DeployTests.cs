using System.Text.Json.Nodes;
using ImageForge.Contracts;
using ImageForge.Lab.Disks;
using ImageForge.Lab.Machines;
using ImageForge.Lab.Servers;

namespace ImageForge.EndToEnd;

/// <summary>A captured disk comes back on another machine, byte for byte where it counts, and boots there.</summary>
public sealed class DeployTests
{
    [Theory]
    [InlineData(Firmware.Bios, "BIOS")]
    [InlineData(Firmware.UefiPxe, "UEFI")]
    [InlineData(Firmware.UefiHttp, "UEFI")]
    public async Task A_disk_is_deployed_compares_equal_and_boots(Firmware firmware, string name)
    {
        var captured = await CapturedImage.GetAsync();
        await using var site = await LabSite.StartAsync($"deploy-{firmware}", captured.Data);
        var disk = Machines.UsedDisk(site);
        await site.AddHostAsync("target", Machines.TargetMac);
        var task = await site.OrderAsync(JobKind.Deploy, Machines.TargetMac, Machines.Image());

        await using (var machine = await site.PowerOnAsync(Machines.Target(disk, firmware)))
        {
            var (_, seconds) = await machine.Console.WaitForAsync("imageforge: checked in", Machines.BootLimit);
            Measured.Write($"power-on to check-in, {firmware}", $"{seconds:0.0} s");
            var ended = await task.WaitForSuccessAsync(Machines.TaskLimit);
            await machine.WaitForEndAsync(TimeSpan.FromSeconds(60));
            var proof = ended["proof"]!;
            Assert.Equal((long)proof["bytes"]!, (long)proof["bytesReadFromDisk"]!);
            if (firmware != Firmware.Bios)
                CheckFirmware(machine, ended);
        }
        Assert.Empty(await DiskComparison.CompareAsync(await SourceDisk.GetAsync(), disk));

        // Network first, no job any more: the boot question sends the machine to its own disk.
        await using (var machine = await site.PowerOnAsync(Machines.Target(disk, firmware)))
        {
            var (line, seconds) = await machine.WaitForInstalledSystemAsync();
            Assert.Contains(name, line, StringComparison.Ordinal);
            Measured.Write($"power-on to installed system without a job, {firmware}", $"{seconds:0.0} s");
        }
    }

    /// <summary>What OVMF itself remembers: the restored system behind the network it was deployed through, and no BootNext.</summary>
    private static void CheckFirmware(VirtualMachine machine, JsonObject ended)
    {
        var variables = FirmwareVariables.Read(machine.VariablesFile);
        var order = FirmwareVariables.Order(variables);
        var what = $"boot order: {string.Join(", ", order)}; notes: {ended["notes"]}";
        Assert.DoesNotContain("BootNext", variables.Keys);
        var system = order.ToList().IndexOf("debian");
        Assert.True(system > 0 && order[system - 1].StartsWith("UEFI ", StringComparison.Ordinal) && order[system - 1].Contains("v4", StringComparison.Ordinal), what);
        Assert.Single(order, "debian");
    }
}
