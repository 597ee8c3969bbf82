using ImageForge.Lab.Disks;
using ImageForge.Lab.Machines;
using ImageForge.Lab.Networks;

await using var network = await LabNetwork.CreateAsync();
await using var dhcp = await SiteDhcp.StartAsync(network);
var disk = await SourceDisk.CopyAsync(Path.Combine(network.Folder, "disk.img"));
foreach (var firmware in new[] { Firmware.Bios, Firmware.UefiPxe })
{
    await using var machine = await VirtualMachine.PowerOnAsync(network, new MachineOptions($"try-{firmware}", "52:54:00:77:00:01", firmware) { NetworkBoot = false, Disks = [new(disk, "SRC0001")] });
    try
    {
        var (match, seconds) = await machine.Console.WaitForAsync("lab-source: up and unharmed.*", TimeSpan.FromSeconds(60));
        Console.WriteLine($"{match.Value} after {seconds:0.0} s");
        (match, seconds) = await machine.Console.WaitForAsync("lab-source login:", TimeSpan.FromSeconds(20));
        Console.WriteLine($"{match.Value} after {seconds:0.0} s");
    }
    catch (Exception e) { Console.WriteLine(e.Message); }
}
