using ImageForge.Contracts;
using ImageForge.Imaging.Capture;
using ImageForge.Imaging.Deploy;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.FileSystems;
using ImageForge.Imaging.Manifests;
using ImageForge.Imaging.Tests.Doubles;
using Xunit.Abstractions;

namespace ImageForge.Imaging.Tests.Deploy;

public sealed class SelectedVolumesTests(ITestOutputHelper output)
{
    /// <summary>One writer: the operations are counted, and must be the same in every run.</summary>
    private static readonly DeployOptions s_options = new(HostTaskId: 7, FlushEveryBytes: 512 << 10) { WritesInFlight = 1 };

    /// <summary>A disk with the image's table and other content everywhere.</summary>
    private static MemoryDisk OtherContent(SyntheticImage image, byte value = 0xE5)
    {
        var disk = DeployEngineTests.Filled(image.Source.SizeBytes, image.Manifest.SectorSize, value);
        foreach (var region in image.Manifest.Regions)
            disk.Write(region.Offset, region.Bytes.Span);
        return disk;
    }

    private static PlanOutcome Plan(SyntheticImage image, MemoryDisk target, params int[] volumes) => DeployPlanner.Plan(
        image.Manifest, image.Hash, target.SizeBytes, target.SectorSize, new DeployChoices(Volumes: volumes), TargetContents.Read(target, CancellationToken.None));

    private static async Task<DeployProgress> DeployAsync(SyntheticImage image, IBlockDevice target, WritePlan plan, DeployOptions? options = null)
    {
        var engine = new DeployEngine(target, image.Store, plan, options ?? s_options);
        await engine.RunAsync(CancellationToken.None);
        return engine.Progress;
    }

    /// <summary>Null when every byte outside the chosen volumes is as it was.</summary>
    private static string? OutsideDifference(SyntheticImage image, int[] volumes, MemoryDisk before, MemoryDisk after)
    {
        var inside = image.Manifest.Volumes.Select(v => v.Header.Partition).Where(p => volumes.Contains(p.Number)).ToList();
        var sector = before.SectorSize;
        for (long at = 0; at < before.SizeBytes; at += sector)
            if (!inside.Exists(p => at >= p.Offset && at < p.End)
                && !SyntheticImage.Read(before, at, sector).AsSpan().SequenceEqual(SyntheticImage.Read(after, at, sector)))
                return $"byte {at} outside the volumes changed";
        return null;
    }

    private static Manifest Only(SyntheticImage image, int[] volumes) =>
        image.Manifest with { Volumes = [.. image.Manifest.Volumes.Where(v => volumes.Contains(v.Header.Partition.Number))] };

    [Theory]
    [InlineData(512, new[] { 2 }, PartitionScheme.Gpt)]
    [InlineData(512, new[] { 1, 3 }, PartitionScheme.Gpt)]
    [InlineData(4096, new[] { 3 }, PartitionScheme.Gpt)]
    public async Task Only_the_chosen_volumes_change(int sectorSize, int[] volumes, PartitionScheme scheme)
    {
        var image = SyntheticImage.Make(new Random(1), sectorSize, scheme: scheme);
        using var before = OtherContent(image);
        using var target = OtherContent(image);
        var plan = Plan(image, target, volumes);
        var progress = await DeployAsync(image, target, plan.Plan!);
        Assert.Null(DiskCheck.Difference(Only(image, volumes), image.Source, target));
        Assert.Null(OutsideDifference(image, volumes, before, target));
        Assert.Equal(Only(image, volumes).UsedBytes, progress.BytesWritten);
        Assert.Empty(TargetContents.Read(target, CancellationToken.None).VolumeRecords);
    }

    [Theory]
    [InlineData(512, new[] { 2 }, 1)]
    [InlineData(512, new[] { 1, 3 }, 2)]
    [InlineData(4096, new[] { 1, 2 }, 3)]
    [InlineData(512, new[] { 1, 2 }, 4, FileSystemKind.Btrfs)]
    [InlineData(512, new[] { 1, 3 }, 5, FileSystemKind.F2fs)]
    public async Task A_cut_at_any_moment_touches_no_other_volume_and_the_next_run_finishes(
        int sectorSize, int[] volumes, int seed, FileSystemKind fileSystem = FileSystemKind.Unknown)
    {
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var image = SyntheticImage.Make(random, sectorSize, fileSystem: fileSystem);
        using var before = OtherContent(image);
        using var wholeMedium = OtherContent(image);
        using var whole = new PowerCutDevice(wholeMedium, random);
        await DeployAsync(image, whole, Plan(image, wholeMedium, volumes).Plan!);
        var resumed = 0;
        for (var run = 0; run < 20; run++)
        {
            using var medium = OtherContent(image);
            using var cut = new PowerCutDevice(medium, random) { CutAt = random.Next(1, whole.Operations + 1) };
            await Assert.ThrowsAsync<FailureException>(() => DeployAsync(image, cut, Plan(image, medium, volumes).Plan!));
            Assert.Null(OutsideDifference(image, volumes, before, medium));
            AssertNotHalfWritten(image, volumes, before, medium, $"seed {seed}, cut {cut.CutAt} of {whole.Operations}");
            AssertNotMountable(image, volumes, before, medium, $"seed {seed}, cut {cut.CutAt} of {whole.Operations}");

            var plan = Plan(image, medium, volumes).Plan!;
            var progress = await DeployAsync(image, medium, plan);
            Assert.Null(DiskCheck.Difference(Only(image, volumes), image.Source, medium));
            Assert.Null(OutsideDifference(image, volumes, before, medium));
            // Without a record only what a cut after the last write has left complete is worth comparing.
            Assert.True(progress.BytesCompared > 0 || !plan.Resuming);
            resumed += progress.BytesKept > 0 ? 1 : 0;
        }
        output.WriteLine($"{resumed} of 20 runs kept something");
        Assert.True(resumed >= 5, $"only {resumed} of 20 resumed runs kept anything");
    }

    /// <summary>A volume whose first sector is the image's is complete but for its second; one that is untouched may have its old one.</summary>
    private static void AssertNotHalfWritten(SyntheticImage image, int[] volumes, MemoryDisk old, MemoryDisk medium, string when)
    {
        foreach (var number in volumes)
        {
            var partition = image.Manifest.Volumes.Single(v => v.Header.Partition.Number == number).Header.Partition;
            var first = SyntheticImage.Read(medium, partition.Offset, medium.SectorSize).AsSpan();
            if (!first.ContainsAnyExcept((byte)0) || first.SequenceEqual(SyntheticImage.Read(old, partition.Offset, medium.SectorSize)))
                continue;
            var second = SyntheticImage.Read(image.Source, partition.Offset + medium.SectorSize, medium.SectorSize);
            var copy = Copy(medium);
            copy.Write(partition.Offset + medium.SectorSize, second);
            Assert.True(DiskCheck.Difference(Only(image, [number]), image.Source, copy) is null, $"{when}: volume {number} looks whole and is not");
        }
    }

    /// <summary>
    /// Where btrfs and F2FS look: content of the image only once all else is there, that of the volume's past only as long as all of it is.
    /// </summary>
    private static void AssertNotMountable(SyntheticImage image, int[] volumes, MemoryDisk old, MemoryDisk medium, string when)
    {
        foreach (var volume in Only(image, volumes).Volumes)
        {
            var (start, rest) = (volume.Header.Partition.Offset, volume.Header.Partition.Length - (68 << 10));
            var held = DiskCheck.HeadBytes(volume, medium) - 4096;
            var mark = SyntheticImage.Read(medium, start + held, 4096).AsSpan();
            // Without such a place the resume record lies there.
            if (volume.Header.FileSystem != FileSystemKind.Unknown && mark.ContainsAnyExcept((byte)0, (byte)0xE5))
                Assert.True(DiskCheck.Difference(Only(image, [volume.Header.Partition.Number]), image.Source, medium, exceptHeads: true) is null, $"{when}: volume {volume.Header.Partition.Number} can be mounted and is not whole");
            if (SyntheticImage.Read(medium, start + (64 << 10), 4096).AsSpan().SequenceEqual(SyntheticImage.Read(old, start + (64 << 10), 4096)))
                Assert.True(SyntheticImage.Read(medium, start + (68 << 10), rest).AsSpan().SequenceEqual(SyntheticImage.Read(old, start + (68 << 10), rest)), $"{when}: a former btrfs in volume {volume.Header.Partition.Number} can be mounted");
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(512)]
    public async Task An_unreadable_table_on_the_target_stops_single_volumes_and_not_the_whole_disk(long bad)
    {
        var image = SyntheticImage.Make(new Random(1));
        using var memory = OtherContent(image);
        var healed = false;
        using var target = new FailingDevice(memory) { ReadRule = (offset, length) => !healed && offset <= bad && bad < offset + length ? 5 : 0, WriteRule = (_, _) => { healed = true; return 0; } };
        var contents = TargetContents.Read(target, CancellationToken.None);
        Assert.Equal((null, null, "diskMediumError"), (contents.Layout, contents.Record, contents.Unusable?.Code));
        PlanOutcome Plan(DeployChoices choices) => DeployPlanner.Plan(image.Manifest, image.Hash, target.SizeBytes, target.SectorSize, choices, contents);
        Assert.Equal("volumeMismatch", Plan(new DeployChoices(Volumes: [2])).Failure?.Code);
        await DeployAsync(image, target, Plan(new DeployChoices()).Plan!);
        Assert.Null(DiskCheck.Difference(image.Manifest, image.Source, memory));
    }

    private static MemoryDisk Copy(MemoryDisk disk)
    {
        var copy = new MemoryDisk(disk.SizeBytes, disk.SectorSize);
        copy.Write(0, SyntheticImage.Read(disk, 0, disk.SizeBytes));
        return copy;
    }

    [Fact]
    public void Partitions_that_are_not_those_of_the_image_are_refused_with_both_places()
    {
        var image = SyntheticImage.Make(new Random(1));
        using var other = new MemoryDisk(image.Source.SizeBytes);
        TestGpt.WriteTo(other, (1 << 20, 2 << 20), (4 << 20, 5 << 20));
        var refused = Plan(image, other, 2).Failure!;
        Assert.Equal(("volumeMismatch", Fault.Disk), (refused.Code, refused.Fault));
        var wanted = image.Manifest.Volumes[1].Header.Partition;
        Assert.Contains($"Volume 2 of the image has {wanted.Length:N0} bytes at byte {wanted.Offset:N0}; partition 2 of the target has {5 << 20:N0} bytes at byte {4 << 20:N0}", refused.Sentence, StringComparison.Ordinal);
        Assert.True(Plan(image, other, 1).IsPlanned);
        Assert.Contains("none with that number", Plan(image, other, 3).Failure!.Sentence, StringComparison.Ordinal);
        using var blank = new MemoryDisk(image.Source.SizeBytes);
        Assert.Contains("no partition table", Plan(image, blank, 1).Failure!.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_disk_with_an_unfinished_whole_deploy_has_nothing_to_restore_into()
    {
        var image = SyntheticImage.Make(new Random(1));
        using var medium = OtherContent(image);
        using var cut = new PowerCutDevice(medium, new Random(1)) { CutAt = 60 };
        await Assert.ThrowsAsync<FailureException>(() => DeployEngineTests.DeployAsync(image, cut, s_options));
        Assert.Equal("deployUnfinished", Plan(image, medium, 2).Failure?.Code);
    }

    [Fact]
    public void What_the_image_does_not_have_is_refused()
    {
        var image = SyntheticImage.Make(new Random(1));
        using var target = OtherContent(image);
        Assert.Equal("volumeNotInImage", Plan(image, target, 1, 9).Failure?.Code);
        var whole = SyntheticImage.Make(new Random(1), scheme: PartitionScheme.None);
        using var disk = OtherContent(whole);
        Assert.Equal("noPartitionTable", Plan(whole, disk, 1).Failure?.Code);
    }

    [Fact]
    public void The_plan_names_what_is_restored_and_what_is_kept()
    {
        var image = SyntheticImage.Make(new Random(1));
        using var target = OtherContent(image);
        var disk = new DiskInventory("sda", "Disk", "S1", null, target.SizeBytes, 512, 512, false, false, false, "sata", false);
        var plan = Plan(image, target, 2).Plan!.Describe(disk, TargetContents.Read(target, CancellationToken.None), readBack: false);
        Assert.Equal(DeployMode.SelectedVolumes, plan.Mode);
        Assert.StartsWith("Erases volume 2 on sda", plan.Erases, StringComparison.Ordinal);
        Assert.Equal([(1, VolumeChange.Kept), (2, VolumeChange.Restored), (3, VolumeChange.Kept)], plan.Volumes.Select(v => (v.Number, v.Change)));
        Assert.Equal([false, true, false], plan.Found!.Select(f => f.Erased));
        Assert.Equal((image.Manifest.Volumes[1].UsedBytes, 0, 0), (plan.BytesToWrite, plan.BytesToReadBack, plan.BytesToCompare));
    }

    [Fact]
    public async Task A_half_restored_volume_is_not_captured()
    {
        var image = SyntheticImage.Make(new Random(1));
        using var medium = OtherContent(image);
        using var cut = new PowerCutDevice(medium, new Random(1)) { CutAt = 30 };
        await Assert.ThrowsAsync<FailureException>(() => DeployAsync(image, cut, Plan(image, medium, 2).Plan!));
        Assert.NotEmpty(TargetContents.Read(medium, CancellationToken.None).VolumeRecords);
        var refused = await Assert.ThrowsAsync<FailureException>(() =>
            new CaptureEngine(new ReadOnlyDisk(medium), image.Store, new CaptureOptions()).RunAsync(CancellationToken.None));
        Assert.Equal("deployUnfinished", refused.Failure.Code);
    }
}
