using System.Diagnostics;
using ImageForge.Agent.Firmware;
using ImageForge.Agent.Tasks;
using ImageForge.Contracts;
using ImageForge.Imaging.Disks;

namespace ImageForge.Agent.Tests.Firmware;

/// <summary>
/// A whole step over a real GPT with a real FAT file system. Its files are taken out by mtools: kernels of builders have no FAT.
/// The mount itself is proven in a guest, by EndToEnd's DeployTests.
/// </summary>
public sealed class RealSystemPartitionTests : IDisposable
{
    private const long PartitionStart = 1 << 20;
    private readonly TemporaryFolder _folder = new();
    private readonly FirmwareFolder _firmware = new();

    [Fact]
    public async Task A_deployed_disk_gets_its_entry_and_its_fallback_loader()
    {
        var disk = _folder.File("disk.img");
        using (var file = File.Create(disk))
            file.SetLength(64 << 20);
        Run("sgdisk", "-n", "1:2048:100000", "-t", "1:ef00", "-u", "1:AAAAAAAA-BBBB-CCCC-DDDD-EEEEEEEEEEEE", disk);
        var fat = $"{disk}@@{PartitionStart}";
        Run("mkfs.vfat", "--offset", (PartitionStart / 512).ToString(System.Globalization.CultureInfo.InvariantCulture), "-F", "32", disk, "40000");
        File.WriteAllText(_folder.File("shim"), "shim itself");
        File.WriteAllText(_folder.File("grub"), "grub itself");
        Run("mmd", "-i", fat, "::/EFI", "::/EFI/debian");
        Run("mcopy", "-i", fat, _folder.File("shim"), "::/EFI/debian/shimx64.efi");
        Run("mcopy", "-i", fat, _folder.File("grub"), "::/EFI/debian/grubx64.efi");

        var inventory = new DiskInventory("disk", null, null, null, 64 << 20, 512, 512, false, false, false, "file", false);
        var disks = new ImageForge.Agent.Inventory.FileDisks([new("disk", disk)]);
        var esp = _folder.File("files");
        Directory.CreateDirectory(esp);
        var steps = new FirmwareSteps(_firmware.Variables, disks, (_, partition) =>
        {
            Assert.Equal((1, PartitionStart), (partition.Number, partition.Offset));
            Run("mcopy", "-s", "-i", fat, "::/EFI", esp);
            return new SystemPartitionMount(esp);
        }, "x64", _folder.Path);
        var outcome = await steps.AroundAsync(new DeployChoices(), false, () => Task.FromResult(new TaskOutcome(HostTaskState.Succeeded, null, "done") { Written = [inventory] }));

        Assert.Equal(["UEFI PXEv4", "debian"], _firmware.Descriptions);
        var path = _firmware.Table.Entries[0].Path;
        Assert.Equal((new Guid("AAAAAAAA-BBBB-CCCC-DDDD-EEEEEEEEEEEE"), @"\EFI\debian\shimx64.efi"), (path.Partition, path.File));
        Assert.Equal(2, outcome.Notes.Count);
        Assert.Equal("shim itself", File.ReadAllText(Path.Combine(esp, "EFI/BOOT/BOOTX64.EFI")));
        Assert.Equal("grub itself", File.ReadAllText(Path.Combine(esp, "EFI/BOOT/grubx64.efi")));
    }

    [Fact]
    public async Task A_system_partition_that_cannot_be_mounted_is_a_note_and_no_failure()
    {
        var disk = _folder.File("disk.img");
        using (var file = File.Create(disk))
            file.SetLength(64 << 20);
        Run("sgdisk", "-n", "1:2048:100000", "-t", "1:ef00", disk);
        var inventory = new DiskInventory("disk", null, null, null, 64 << 20, 512, 512, false, false, false, "file", false);
        var steps = new FirmwareSteps(_firmware.Variables, new ImageForge.Agent.Inventory.FileDisks([new("disk", disk)]),
            (_, _) => SystemPartitionMount.Open("/dev/there-is-no-such-device", _folder.Path), "x64", _folder.Path);
        var outcome = await steps.AroundAsync(new DeployChoices(), false, () => Task.FromResult(new TaskOutcome(HostTaskState.Succeeded, null, "done") { Written = [inventory] }));

        Assert.Equal(HostTaskState.Succeeded, outcome.State);
        Assert.Contains("could not be looked into", Assert.Single(outcome.Notes), StringComparison.Ordinal);
        Assert.Equal(["UEFI PXEv4"], _firmware.Descriptions);
    }

    public void Dispose()
    {
        _firmware.Dispose();
        _folder.Dispose();
    }

    private static string Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: {error.Result}{output}");
    }
}
