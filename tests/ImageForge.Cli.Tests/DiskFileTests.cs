using ImageForge.Lab;

namespace ImageForge.Cli.Tests;

/// <summary>Disks of virtual machines through qemu-nbd, and block devices.</summary>
public sealed class DiskFileTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Theory]
    [InlineData("qcow2")]
    [InlineData("vmdk")]
    [InlineData("vhdx")]
    [InlineData("vhd")]
    public async Task A_disk_file_of_a_virtual_machine_is_written_verified_and_captured(string format)
    {
        var disk = await SampleDisk.MakeAsync(_scratch, "source");
        await Cli.RunAsync("disk", "capture", disk, "-i", "lab", "-s", _scratch.Store);
        var machine = _scratch[$"machine.{format}"];
        await Cli.RunAsync("disk", "deploy", "lab", machine, "--size", "160MiB", "-s", _scratch.Store);
        Assert.InRange(new FileInfo(machine).Length, 1 << 20, 159 << 20);
        // What QEMU itself reads from it is judged.
        var qemuName = format == "vhd" ? "vpc" : format;
        await _scratch.ShellAsync($"qemu-img info --output=json machine.{format} | grep -q '\"format\": \"{qemuName}\"'; qemu-img convert -O raw machine.{format} unpacked");
        await SampleDisk.AssertHoldsAsync(_scratch, "unpacked", "source");
        Assert.Contains("are the same", await Cli.RunAsync("disk", "verify", machine, "lab", "-s", _scratch.Store), StringComparison.Ordinal);

        var again = await Cli.JsonAsync("images", "import", machine, "-i", "back", "-s", _scratch.Store);
        Assert.Equal(0, again.GetProperty("newBytes").GetInt64());
        await Cli.RunAsync("disk", "deploy", "lab", machine, "--yes", "-s", _scratch.Store);
        Assert.Contains("are the same", await Cli.RunAsync("disk", "verify", machine, "lab", "-s", _scratch.Store), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_disk_file_that_builds_on_another_file_is_refused()
    {
        await _scratch.ShellAsync("truncate -s 4M base; qemu-img create -q -f qcow2 -b base -F raw top.qcow2; qemu-img create -q -f qcow2 -o data_file=base.data,data_file_raw=on outside.qcow2 4M");
        await Cli.RefusesAsync(1, "holds only the difference to another file", "disk", "show", _scratch["top.qcow2"]);
        await Cli.RefusesAsync(1, "its content is in another file", "images", "import", _scratch["outside.qcow2"], "-i", "x", "-s", _scratch.Store);
    }

    [Fact]
    public async Task A_broken_disk_file_is_told_and_no_server_is_left()
    {
        await _scratch.ShellAsync("qemu-img create -q -f qcow2 broken.qcow2 4M; printf '\\xff\\xff\\xff\\xff' | dd of=broken.qcow2 bs=1 seek=20 conv=notrunc status=none");
        var started = TimeProvider.System.GetUtcNow().UtcDateTime;
        await Cli.RefusesAsync(1, "broken.qcow2 cannot be opened: ", "disk", "show", _scratch["broken.qcow2"]);
        // The private folder of the server is gone with it.
        Assert.DoesNotContain(Directory.GetDirectories(Path.GetTempPath(), "imageforge-nbd-*"), folder => Directory.GetCreationTimeUtc(folder) >= started && Directory.GetFileSystemEntries(folder).Length == 0);
    }

    [Fact]
    public async Task A_block_device_is_captured_read_only_and_a_mounted_one_is_not_erased()
    {
        var disk = await SampleDisk.MakeAsync(_scratch, "source");
        var before = await SampleDisk.HashAsync(disk);
        var target = await SampleDisk.MakeAsync(_scratch, "target", seed: 2);
        var loops = (await _scratch.ShellAsync("losetup -f --show -r source; losetup -f --show target; losetup -f --show ext.source")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var (readOnly, writable, volume) = (loops[0], loops[1], loops[2]);
        try
        {
            await Cli.RunAsync("disk", "capture", readOnly, "-i", "lab", "-s", _scratch.Store);
            Assert.Equal(before, await SampleDisk.HashAsync(disk));
            await Cli.RefusesAsync(1, $"it is attached as {writable}", "disk", "deploy", "lab", target, "--yes", "-s", _scratch.Store);

            await _scratch.ShellAsync($"mkdir mounted; mount {volume} mounted");
            try
            {
                await Cli.RefusesAsync(1, $"{volume} is mounted at {_scratch["mounted"]}", "disk", "deploy", "lab", volume, "--yes", "-s", _scratch.Store);
                await Cli.RefusesAsync(1, $"{volume} is mounted at {_scratch["mounted"]}", "disk", "capture", volume, "-i", "lab", "-s", _scratch.Store);
                await _scratch.ShellAsync("mount -o remount,ro mounted");
                await Cli.RunAsync("disk", "show", volume);
            }
            finally
            {
                await _scratch.ShellAsync("umount mounted");
            }
            await Cli.RunAsync("disk", "deploy", "lab", writable, "--yes", "-s", _scratch.Store);
        }
        finally
        {
            await Command.RunAsync("losetup", "-d", readOnly, writable, volume);
        }
        await SampleDisk.AssertHoldsAsync(_scratch, "target", "source");
    }
}
