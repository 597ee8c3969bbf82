using System.Text.Json.Nodes;
using ImageForge.Lab.Disks;
using ImageForge.Lab.Machines;
using ImageForge.Lab.Servers;

namespace ImageForge.EndToEnd;

/// <summary>The machines that most tests switch on, and how long emulated ones may take on a busy two-core builder.</summary>
internal static class Machines
{
    public const string SourceMac = "52:54:00:77:00:01";
    public const string TargetMac = "52:54:00:77:00:02";
    public const string SourceSerial = "SOURCE-DISK";
    public const string TargetSerial = "TARGET-DISK";

    public static readonly TimeSpan BootLimit = TimeSpan.FromSeconds(240);
    public static readonly TimeSpan TaskLimit = TimeSpan.FromSeconds(480);

    public static MachineOptions Source(string disk) => new("source", SourceMac) { Disks = [new(disk, SourceSerial)] };

    public static MachineOptions Target(string disk, Firmware firmware = Firmware.Bios) =>
        new("target", TargetMac, firmware) { Disks = [new(disk, TargetSerial)], Uuid = "3f0c9d5e-1111-4222-8333-52540077aa02", Serial = "LAB-0002" };

    /// <summary>A disk that held something else before: a deploy must not count on zeros.</summary>
    public static string UsedDisk(LabSite site, string name = "target.img") =>
        RawImage.CreateUsed(Path.Combine(site.Network.Folder, name), SourceDisk.Bytes, seed: 7);

    public static string BlankDisk(LabSite site, string name = "target.img") =>
        RawImage.CreateBlank(Path.Combine(site.Network.Folder, name), SourceDisk.Bytes);

    public static JsonObject Image(string name = CapturedImage.Name, string after = "powerOff") => new() { ["image"] = name, ["after"] = after };

    /// <summary>Waits for the installed system's own word that all its files are whole; returns that line.</summary>
    public static async Task<(string Line, double Seconds)> WaitForInstalledSystemAsync(this VirtualMachine machine)
    {
        // With its end: a line is matched while it is still being written.
        var (match, seconds) = await machine.Console.WaitForAsync("lab-source: (up and unharmed.*|FILES ARE DAMAGED)\r?\n", BootLimit);
        Assert.StartsWith(SourceDisk.Marker, match.Value, StringComparison.Ordinal);
        await machine.Console.WaitForAsync("lab-source login:", BootLimit);
        return (match.Value.Trim(), seconds);
    }
}
