using ImageForge.Contracts;
using ImageForge.Imaging.Deploy;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.FileSystems;
using ImageForge.Imaging.Manifests;
using ImageForge.Imaging.Resize;
using ImageForge.Imaging.Tests.FileSystems;
using Xunit.Abstractions;

namespace ImageForge.Imaging.Tests.Resize;

/// <summary>A deploy that fills a larger disk: real file systems, grown by their own means, judged by their own checkers.</summary>
public sealed class FillTests(ITestOutputHelper output)
{
    private const long Mib = 1 << 20;

    private static MadeVolume Make(string kind) => kind switch
    {
        "ntfs" => MadeVolume.Ntfs(64 * Mib, "", files: 100),
        "xfs" => MadeVolume.Xfs(64 * Mib, "", files: 100),
        "btrfs" => MadeVolume.Btrfs(128 * Mib, "", files: 100),
        "ext3 with 1 KiB blocks" => MadeVolume.Ext("ext3", 48 * Mib, "-b 1024", files: 100),
        _ => MadeVolume.Ext(kind, 64 * Mib, "", files: 100),
    };

    [Theory]
    [InlineData("ext4", new[] { "mount", "-o", "loop,ro" }, new[] { "e2fsck", "-fn" })]
    [InlineData("ext2", new[] { "mount", "-o", "loop,ro" }, new[] { "e2fsck", "-fn" })]
    [InlineData("ext3 with 1 KiB blocks", new[] { "mount", "-o", "loop,ro" }, new[] { "e2fsck", "-fn" })]
    [InlineData("ntfs", new[] { "ntfs-3g", "-o", "ro" }, new[] { "ntfsfix", "-n" })]
    [InlineData("xfs", new[] { "mount", "-o", "loop,ro,nouuid" }, new[] { "xfs_repair", "-n" })]
    [InlineData("btrfs", new[] { "mount", "-o", "loop,ro" }, new[] { "btrfs", "check" })]
    public async Task The_last_volume_that_can_grow_fills_the_disk_and_what_lies_behind_it_moves(string kind, string[] mount, string[] checker)
    {
        using var disk = new LaidOutDisk([MadeVolume.Fat(20 * Mib, ""), Make(kind), MadeVolume.Ntfs(16 * Mib, "-p 1 -H 16 -S 63", files: 20)], ["ef00", "8300", "2700"]);
        var target = disk.Target(disk.Bytes + 200 * Mib);
        var growth = await FillAsync(disk, target, new DeployChoices(Fill: true));
        Assert.True(growth?.Grown, growth?.Note);

        Assert.Contains("No problems found", Shell.Run("sgdisk", "-v", target), StringComparison.Ordinal);
        var partitions = Read(target);
        Assert.Equal(disk.Places[0], (partitions[0].Offset, partitions[0].Length));
        Assert.Equal((disk.Places[1].Offset, disk.Places[1].Length + 200 * Mib), (partitions[1].Offset, partitions[1].Length));
        Assert.Equal((disk.Places[2].Offset + 200 * Mib, disk.Places[2].Length), (partitions[2].Offset, partitions[2].Length));

        var grown = disk.Extract(target, partitions[1].Offset, partitions[1].Length);
        Shell.Run(checker[0], [.. checker[1..], grown]);
        Assert.InRange(LaidOutDisk.FileSystemBytes(grown, mount), disk.Places[1].Length + 170 * Mib, partitions[1].Length);
        Assert.Equal(disk.Volumes[1].HashFiles(disk.Volumes[1].Image), disk.Volumes[1].HashFiles(grown));
        foreach (var i in (int[])[0, 2])
            Assert.Equal(disk.Volumes[i].HashFiles(disk.Volumes[i].Image), disk.Volumes[i].HashFiles(disk.Extract(target, partitions[i].Offset, partitions[i].Length)));
        Shell.Run("ntfsfix", "-n", disk.Extract(target, partitions[2].Offset, partitions[2].Length));
    }

    [Fact]
    public void Btrfs_grows_while_it_is_mounted()
    {
        using var volume = MadeVolume.Btrfs(128 * Mib, "", files: 100);
        var before = volume.HashFiles(volume.Image);
        using (var file = File.OpenWrite(volume.Image))
            file.SetLength(400 * Mib);
        using (var device = ImageFileDevice.OpenForWriting(volume.Image))
            Assert.Equal(new GrowthOutcome(true, null), new HiddenFromOthers().Grow(device, 0, 400 * Mib, FileSystemKind.Btrfs, CancellationToken.None));
        Shell.Run("btrfs", "check", volume.Image);
        Assert.InRange(LaidOutDisk.FileSystemBytes(volume.Image, "mount", "-o", "loop,ro"), 390 * Mib, 400 * Mib);
        Assert.Equal(before, volume.HashFiles(volume.Image));
    }

    [Fact]
    public async Task A_moved_ntfs_says_its_new_place_in_its_boot_sector_and_in_the_copy()
    {
        var start = LaidOutDisk.PlacesOf([48 * Mib, 16 * Mib])[1].Offset / 512;
        using var disk = new LaidOutDisk([MadeVolume.Ext("ext4", 48 * Mib, "", files: 20), MadeVolume.Ntfs(16 * Mib, $"-p {start} -H 16 -S 63", files: 20)], ["8300", "2700"]);
        var target = disk.Target(disk.Bytes + 64 * Mib);
        await FillAsync(disk, target, new DeployChoices(Fill: true, GrowVolume: 1));
        var moved = Read(target)[1];
        var bytes = File.ReadAllBytes(disk.Extract(target, moved.Offset, moved.Length));
        var copy = (int)HiddenSectors.NtfsCopyAt(bytes)!.Value;
        Assert.Equal((uint)start, disk.Volumes[1].ReadAll().U32(28));
        Assert.Equal((uint)(moved.Offset / 512), bytes.U32(28));
        Assert.Equal(bytes.AsSpan(0, 512), bytes.AsSpan(copy, 512));
    }

    [Fact]
    public async Task A_cut_while_the_file_system_grows_is_mended_by_the_next_run()
    {
        using var disk = new LaidOutDisk([MadeVolume.Ext("ext4", 64 * Mib, "", files: 100)], ["8300"]);
        var target = disk.Target(disk.Bytes + 100 * Mib);
        var choices = new DeployChoices(Fill: true);
        await Assert.ThrowsAsync<DiskException>(() => FillAsync(disk, target, choices, new CutWhileGrowing()));
        using (var device = ImageFileDevice.OpenForReading(target))
        {
            Assert.NotNull(ResumeRecord.ReadFrom(device));
            Assert.Equal(PartitionScheme.None, ((PartitionTableReading.Found)PartitionTables.Read(device)).Layout.Scheme);
            Assert.True(Plan(disk, device, choices).Resuming);
            Assert.False(Plan(disk, device, new DeployChoices()).Resuming);
        }
        var fetched = disk.Store.Fetched;
        Assert.True((await FillAsync(disk, target, choices))?.Grown);
        Assert.True(disk.Store.Fetched - fetched < fetched, "nothing was kept");
        var partition = Read(target)[0];
        var grown = disk.Extract(target, partition.Offset, partition.Length);
        Shell.Run("e2fsck", "-fn", grown);
        Assert.Equal(disk.Volumes[0].HashFiles(disk.Volumes[0].Image), disk.Volumes[0].HashFiles(grown));
    }

    [Fact]
    public async Task A_file_system_that_does_not_want_to_grow_is_left_whole_and_the_result_says_so()
    {
        using var disk = new LaidOutDisk([MadeVolume.Fat(40 * Mib, "-F 32")], ["0700"]);
        var target = disk.Target(disk.Bytes + 100 * Mib);
        var growth = await FillAsync(disk, target, new DeployChoices(Fill: true, GrowVolume: 1));
        Assert.False(growth!.Grown);
        Assert.Contains("left as it was", growth.Note, StringComparison.Ordinal);
        var partition = Read(target)[0];
        Assert.Equal(disk.Places[0].Length + 100 * Mib, partition.Length);
        Shell.Run("fsck.fat", "-n", disk.Extract(target, partition.Offset, partition.Length));
    }

    private async Task<GrowthOutcome?> FillAsync(LaidOutDisk disk, string target, DeployChoices choices, IVolumeGrower? grower = null)
    {
        using var device = ImageFileDevice.OpenForWriting(target);
        var engine = new DeployEngine(device, disk.Store, Plan(disk, device, choices), new DeployOptions(Grower: grower ?? new HiddenFromOthers()));
        try
        {
            await engine.RunAsync(CancellationToken.None);
        }
        catch (FailureException e) when (e.InnerException is DiskException cut)
        {
            throw cut;
        }
        output.WriteLine(engine.Growth?.Note ?? "grown");
        return engine.Growth;
    }

    private static WritePlan Plan(LaidOutDisk disk, ImageFileDevice device, DeployChoices choices)
    {
        var outcome = DeployPlanner.Plan(disk.Captured.Manifest, disk.Captured.ManifestHash, device.SizeBytes, 512, choices, TargetContents.Read(device, CancellationToken.None));
        Assert.True(outcome.IsPlanned, outcome.Failure?.Sentence);
        return outcome.Plan;
    }

    private static List<Partition> Read(string disk)
    {
        using var device = ImageFileDevice.OpenForReading(disk);
        return [.. Assert.IsType<PartitionTableReading.Found>(PartitionTables.Read(device)).Layout.Partitions];
    }

    /// <summary>The real one, its mounts out of sight of the other tests' namespaces.</summary>
    private sealed class HiddenFromOthers : IVolumeGrower
    {
        public GrowthOutcome Grow(IBlockDevice target, long offset, long length, FileSystemKind kind, CancellationToken cancel)
        {
            GrowthOutcome? outcome = null;
            PrivateMounts.Run(() => outcome = new VolumeGrower().Grow(target, offset, length, kind, cancel));
            return outcome!;
        }
    }

    /// <summary>Grows, then spoils what a half-done growth may have spoilt, and the power is gone.</summary>
    private sealed class CutWhileGrowing : IVolumeGrower
    {
        public GrowthOutcome Grow(IBlockDevice target, long offset, long length, FileSystemKind kind, CancellationToken cancel)
        {
            new VolumeGrower().Grow(target, offset, length, kind, cancel);
            target.Write(offset + (1 << 20), new byte[64 << 10]);
            throw new DiskException(target.Name, "write", offset, 19, "cut");
        }
    }
}
