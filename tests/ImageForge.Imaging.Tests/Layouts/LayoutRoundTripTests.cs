using ImageForge.Imaging.Deploy;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.FileSystems;
using ImageForge.Imaging.Tests.Disks;
using ImageForge.Imaging.Tests.Doubles;
using ImageForge.Imaging.Tests.FileSystems;

namespace ImageForge.Imaging.Tests.Layouts;

/// <summary>Layouts made by the tools of others, captured and deployed onto disks full of 0xFF, and judged by the same tools.</summary>
public sealed class LayoutRoundTripTests
{
    private const long Mib = 1 << 20;

    [Theory]
    [InlineData(0)]
    [InlineData(32)]
    public async Task A_gpt_comes_back_with_names_attributes_and_guids_and_both_copies(int largerBy)
    {
        using var disk = MadeDisk.Sgdisk(48 * Mib, "-n", "1:2048:+4M", "-t", "1:ef00", "-c", "1:EFI system", "-n", "5:0:+8M", "-c", "5:Wurzel \u00e4\u20ac",
            "-A", "5:set:2", "-A", "5:set:63", "-n", "128:0:0", "-t", "128:0700", "-A", "128:set:60");
        var (target, _) = await RoundTrip.RunAsync(disk, disk.Layout().SizeBytes + largerBy * Mib);
        using (target)
        {
            Assert.Contains("No problems found", Shell.Run("sgdisk", "-v", target.Image), StringComparison.Ordinal);
            Assert.Equal(Details(disk), Details(target));
            Assert.Equal(disk.Layout().Gpt!.DiskGuid, target.Layout().Gpt!.DiskGuid);
            if (largerBy == 0)
            {
                Assert.Equal(disk.SgdiskPrint(), target.SgdiskPrint());
                Assert.Equal(disk.SfdiskDump(), target.SfdiskDump());
            }
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(32)]
    public async Task A_hybrid_mbr_comes_back_byte_for_byte(int largerBy)
    {
        using var disk = MadeDisk.Sgdisk(32 * Mib, "-n", "1:2048:+4M", "-n", "2:0:+8M", "-n", "3:0:0", "-h", "1:2");
        var (target, manifest) = await RoundTrip.RunAsync(disk, disk.Layout().SizeBytes + largerBy * Mib);
        using (target)
        {
            Assert.Equal(disk.Bytes(0, 512), target.Bytes(0, 512));
            Assert.Contains("hybrid", Assert.Single(target.Layout().Notes), StringComparison.Ordinal);
            Assert.Equal(Details(disk), Details(target));
            Assert.Equal(3, manifest.Volumes.Count);
        }
    }

    [Fact]
    public async Task A_bios_boot_partition_comes_back_whole_with_the_grub_in_it()
    {
        using var disk = MadeDisk.Sgdisk(32 * Mib, "-a", "1", "-n", "1:34:2047", "-t", "1:ef02", "-n", "2:2048:0");
        // An older life of the disk: an ext superblock where the boot partition now is must not make any of it unused.
        using (var ext = MadeVolume.Ext("ext2", Mib, "", files: 0))
            disk.Write(34 * 512, ext.ReadAll().AsSpan(0, 2014 * 512));
        var core = Grub.Install(disk, 34, "part_gpt");
        var (target, manifest) = await RoundTrip.RunAsync(disk);
        using (target)
        {
            Assert.Equal(core, target.Bytes(34 * 512, core.Length));
            Assert.Equal(disk.Bytes(0, (int)Mib), target.Bytes(0, (int)Mib));
            var header = manifest.Volumes[0].Header;
            Assert.Equal((FileSystemKind.Unknown, 2014 * 512L), (header.FileSystem, manifest.Volumes[0].UsedBytes));
            Assert.Contains("BIOS boot", header.Note, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task The_gap_behind_the_mbr_comes_back_with_the_grub_in_it()
    {
        using var disk = MadeDisk.Sfdisk(32 * Mib, "label: dos\nlabel-id: 0xfeedc0de\nstart=2048, size=8192, type=83, bootable\nstart=10240, type=7\n");
        using (var ext = MadeVolume.Ext("ext4", 4 * Mib, "", files: 10))
            disk.CopyIn(ext.Image, Mib);
        var core = Grub.Install(disk, 1, "part_msdos");
        foreach (var larger in new[] { 0, 16 * Mib })
        {
            var (target, _) = await RoundTrip.RunAsync(disk, 32 * Mib + larger);
            using (target)
            {
                Assert.Equal(disk.Bytes(0, (int)Mib), target.Bytes(0, (int)Mib));
                Assert.Equal(core, target.Bytes(512, core.Length));
                Assert.Equal(disk.SfdiskDump(), target.SfdiskDump());
                Shell.Run("fsck.ext4", "-fn", target.CopyOut(target.Layout().Partitions[0]));
            }
        }
    }

    [Theory]
    [InlineData("ext4")]
    [InlineData("ntfs")]
    [InlineData("fat")]
    public async Task A_file_system_without_a_table_comes_back(string kind)
    {
        using var volume = kind switch
        {
            "fat" => MadeVolume.Fat(24 * Mib, "-F 16 -s 2"),
            "ntfs" => MadeVolume.Ntfs(24 * Mib, "-c 4096"),
            _ => MadeVolume.Ext("ext4", 24 * Mib, ""),
        };
        using var disk = new MadeDisk(volume.Bytes);
        disk.CopyIn(volume.Image, 0);
        var (target, manifest) = await RoundTrip.RunAsync(disk);
        using (target)
        {
            Assert.Equal((PartitionScheme.None, 1), (manifest.Scheme, manifest.Volumes.Count));
            Assert.True(manifest.Volumes[0].UsedBytes < volume.Bytes * 3 / 4);
            Assert.Equal(volume.HashFiles(volume.Image), volume.HashFiles(target.Image));
            Shell.Run(kind switch { "fat" => "fsck.fat", "ntfs" => "ntfsfix", _ => "fsck.ext4" }, kind == "ext4" ? "-fn" : "-n", target.Image);
        }
    }

    [Fact]
    public async Task Real_block_devices_with_sectors_of_4096_bytes_are_captured_and_deployed()
    {
        using var source = new LoopDevice(48 * Mib, 4096);
        Shell.Run("sgdisk", "-n", "1:256:+16M", "-t", "1:8300", "-c", "1:root", "-n", "2:0:0", "-t", "2:0700", source.Node);
        using (var ext = MadeVolume.Ext("ext4", 16 * Mib, "-b 4096", files: 40))
            Shell.Run("dd", $"if={ext.Image}", $"of={source.File}", "bs=1M", "seek=1", "conv=notrunc", "status=none");
        var store = new MemoryChunkStore();
        Imaging.Capture.CaptureResult result;
        using (var disk = LinuxBlockDevice.OpenForReading(source.Node))
            result = await new Imaging.Capture.CaptureEngine(disk, store, new Imaging.Capture.CaptureOptions(64 << 10)).RunAsync(CancellationToken.None);
        Assert.Equal((4096, FileSystemKind.Ext4), (result.Manifest.SectorSize, result.Manifest.Volumes[0].Header.FileSystem));

        using var target = new LoopDevice(64 * Mib, 4096);
        using (var disk = LinuxBlockDevice.OpenForWriting(target.Node))
        {
            var plan = DeployPlanner.Plan(result.Manifest, result.ManifestHash, disk.SizeBytes, disk.SectorSize, null).Plan!;
            await new DeployEngine(disk, store, plan, new DeployOptions()).RunAsync(CancellationToken.None);
        }
        Assert.Contains("No problems found", Shell.Run("sgdisk", "-v", target.Node), StringComparison.Ordinal);
        Assert.Equal(Shell.Run("sgdisk", "-i", "1", source.Node), Shell.Run("sgdisk", "-i", "1", target.Node));
        Assert.Equal(Shell.Run("sgdisk", "-i", "2", source.Node), Shell.Run("sgdisk", "-i", "2", target.Node));
        Shell.Run("dd", $"if={target.File}", $"of={target.File}.part", "bs=1M", "skip=1", "count=16", "status=none");
        try
        {
            Shell.Run("fsck.ext4", "-fn", target.File + ".part");
        }
        finally
        {
            File.Delete(target.File + ".part");
        }
    }

    [Theory]
    [InlineData(512, 4096)]
    [InlineData(4096, 512)]
    public async Task Sectors_of_another_size_are_refused_in_the_plan_with_both_numbers(int image, int target)
    {
        using var disk = new MadeDisk(16 * Mib, sectorSize: image);
        var (result, _) = await RoundTrip.CaptureAsync(disk);
        var failure = DeployPlanner.Plan(result.Manifest, result.ManifestHash, 32 * Mib, target, null).Failure!;
        Assert.Equal("sectorSizeMismatch", failure.Code);
        Assert.Contains($"{image} bytes", failure.Sentence, StringComparison.Ordinal);
        Assert.Contains($"has {target}", failure.Sentence, StringComparison.Ordinal);
    }

    private static string[] Details(MadeDisk disk) => [.. disk.Layout().Partitions.Select(p => Shell.Run("sgdisk", "-i", $"{p.Number}", disk.Image))];
}
