using ImageForge.Contracts;
using ImageForge.Imaging.Capture;
using ImageForge.Imaging.Deploy;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.FileSystems;
using ImageForge.Imaging.Manifests;
using ImageForge.Imaging.Tests.Doubles;
using ImageForge.Imaging.Tests.FileSystems;

namespace ImageForge.Imaging.Tests.Deploy;

/// <summary>Where things go on a larger disk; that the file systems grow is in <see cref="Resize.FillTests"/>.</summary>
public sealed class FillLayoutTests
{
    private const long Mib = 1 << 20;

    /// <summary>An image whose volumes say they are ext4.</summary>
    private static Manifest AsExt4(SyntheticImage image) => image.Manifest with
    {
        Volumes = [.. image.Manifest.Volumes.Select(v => new ManifestVolume(v.Header with { FileSystem = FileSystemKind.Ext4 }, v.Runs, v.Maps, v.Ids))],
    };

    private static PlanOutcome Plan(Manifest manifest, long bytes, int? grow = null) =>
        DeployPlanner.Foresee(manifest, new string('a', 64), bytes, manifest.SectorSize, new DeployChoices(Fill: true, GrowVolume: grow));

    [Theory]
    [InlineData(512)]
    [InlineData(4096)]
    public async Task Chunks_of_moved_volumes_land_at_their_new_places(int sectorSize)
    {
        var image = SyntheticImage.Make(new Random(1), sectorSize);
        var manifest = AsExt4(image);
        using var target = DeployEngineTests.Filled(image.Source.SizeBytes + 7 * Mib, sectorSize, 0xFF);
        var plan = Plan(manifest, target.SizeBytes, 2).Plan!;
        Assert.Equal([VolumeChange.Created, VolumeChange.Grown, VolumeChange.Moved], plan.Places.Select(p => p.Change));
        await new DeployEngine(target, image.Store, plan, new DeployOptions()).RunAsync(CancellationToken.None);

        var layout = Assert.IsType<PartitionTableReading.Found>(PartitionTables.Read(target)).Layout;
        Assert.Empty(layout.Notes);
        Assert.Equal(plan.Places.Select(p => (p.Offset, p.Length)), layout.Partitions.Select(p => (p.Offset, p.Length)));
        var shift = layout.Partitions[2].Offset - manifest.Volumes[2].Header.Partition.Offset;
        Assert.True(shift >= 6 * Mib && shift % Mib == 0);
        foreach (var (volume, i) in manifest.Volumes.Select((v, i) => (v, i)))
            foreach (var chunk in volume.Chunks().Where(c => c.Kind != ChunkKind.Unused))
            {
                var expected = SyntheticImage.Read(image.Source, volume.Header.Partition.Offset + chunk.VolumeOffset, chunk.Length);
                var actual = SyntheticImage.Read(target, layout.Partitions[i].Offset + chunk.VolumeOffset, chunk.Length);
                UsedBits.ClearUnused(chunk.UsedBits.Span, volume.Header.BlockSize, expected);
                UsedBits.ClearUnused(chunk.UsedBits.Span, volume.Header.BlockSize, actual);
                Assert.Equal(expected, actual);
            }
    }

    [Fact]
    public void The_plan_says_what_grows_and_what_moves_from_where()
    {
        var image = SyntheticImage.Make(new Random(1));
        var size = image.Source.SizeBytes + 7 * Mib;
        var disk = new DiskInventory("sda", "Disk", "S1", null, size, 512, 512, false, false, false, "sata", false);
        var volumes = Plan(AsExt4(image), size, 2).Plan!.Describe(disk).Volumes;
        Assert.Equal((VolumeChange.Grown, image.Manifest.Volumes[1].Header.Partition.Length), (volumes[1].Change, volumes[1].ImageSizeBytes));
        Assert.Equal((VolumeChange.Moved, image.Manifest.Volumes[2].Header.Partition.Offset), (volumes[2].Change, volumes[2].ImageOffsetBytes));
        Assert.Equal((null, null), (volumes[0].ImageOffsetBytes, volumes[0].ImageSizeBytes));
    }

    [Fact]
    public void What_cannot_be_filled_is_laid_out_as_captured_with_a_note_or_refused_when_marked()
    {
        var image = SyntheticImage.Make(new Random(1));
        var larger = image.Source.SizeBytes + 7 * Mib;
        Assert.Contains("No volume", Assert.Single(Plan(image.Manifest, larger).Plan!.Notes), StringComparison.Ordinal);
        Assert.Contains("no room", Assert.Single(Plan(AsExt4(image), image.Source.SizeBytes).Plan!.Notes), StringComparison.Ordinal);
        Assert.Equal("growVolumeUnknown", Plan(image.Manifest, larger, 9).Failure?.Code);
        // Without a change the two are one deploy, whichever was interrupted.
        Assert.Equal(0u, Plan(AsExt4(image), image.Source.SizeBytes).Plan!.Layout);
        Assert.NotEqual(0u, Plan(AsExt4(image), larger).Plan!.Layout);
    }

    [Fact]
    public void A_boot_partition_is_not_grown_in_place_of_the_encrypted_one_behind_it()
    {
        var image = SyntheticImage.Make(new Random(1));
        var manifest = AsExt4(image);
        var crypt = manifest.Volumes[2];
        manifest = manifest with { Volumes = [.. manifest.Volumes.Take(2), new ManifestVolume(crypt.Header with { FileSystem = FileSystemKind.Luks }, crypt.Runs, crypt.Maps, crypt.Ids)] };
        var larger = image.Source.SizeBytes + 7 * Mib;

        var plan = Plan(manifest, larger).Plan!;
        Assert.Contains("growVolume", Assert.Single(plan.Notes), StringComparison.Ordinal);
        Assert.Equal(manifest.Volumes.Select(v => v.Header.Partition.Offset), plan.Places.Select(p => p.Offset));
        Assert.Equal(VolumeChange.Grown, Plan(manifest, larger, 2).Plan!.Places[1].Change);
    }

    [Fact]
    public void A_file_system_without_a_partition_table_keeps_its_size()
    {
        var image = SyntheticImage.Make(new Random(1), scheme: PartitionScheme.None);
        Assert.Contains("no partition table", Assert.Single(Plan(AsExt4(image), image.Source.SizeBytes + 7 * Mib).Plan!.Notes), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Beside_a_suspended_system_nothing_is_resized()
    {
        using var folder = new TempFolder();
        var source = folder["source.img"];
        using (ImageFileDevice.Create(source, 64 * Mib)) { }
        File.WriteAllText(folder["table"], "label: dos\nstart=2048,size=81920,type=83\nstart=83968,size=16384,type=82\n");
        Shell.Run("sh", "-c", $"sfdisk -q '{source}' < '{folder["table"]}' && truncate -s 8M '{folder["swap"]}' && mkswap '{folder["swap"]}' && dd if='{folder["swap"]}' of='{source}' bs=512 seek=83968 conv=notrunc status=none && mke2fs -q -F -t ext4 -E offset=1048576 '{source}' 40m");
        var ordinary = await CaptureAsync(source);
        Assert.Equal([FileSystemKind.Ext4, FileSystemKind.Swap], ordinary.Volumes.Select(v => v.Header.FileSystem));
        Assert.Equal(VolumeChange.Grown, Plan(ordinary, 100 * Mib).Plan!.Places[0].Change);

        // The mark that swsusp leaves in place of SWAPSPACE2.
        using (var file = File.OpenWrite(source))
        {
            file.Position = 83968 * 512 + 4096 - 10;
            file.Write("S1SUSPEND\0"u8);
        }
        var suspended = await CaptureAsync(source);
        var refusal = Plan(suspended, 100 * Mib).Failure;
        Assert.Equal("fillHibernated", refusal?.Code);
        Assert.Contains("Volume 2 ", refusal!.Sentence, StringComparison.Ordinal);
        Assert.Equal("fillHibernated", Plan(suspended, 100 * Mib, 1).Failure?.Code);
        // Laid out as it was, the system resumes as on its own disk.
        Assert.Null(DeployPlanner.Foresee(suspended, new string('a', 64), 100 * Mib, 512, new DeployChoices()).Failure);
        Assert.Null(Plan(suspended, 49 * Mib).Failure);
        var shrink = new ImageForge.Imaging.Resize.ShrinkEngine(suspended, new MemoryChunkStore(), new MemoryChunkStore(), folder["work"]);
        Assert.Equal("shrinkHibernated", (await Assert.ThrowsAsync<FailureException>(() => shrink.RunAsync(40 * Mib, _ => { }, CancellationToken.None))).Failure.Code);

        static async Task<Manifest> CaptureAsync(string path)
        {
            using var device = ImageFileDevice.OpenForReading(path);
            return (await new CaptureEngine(device, new MemoryChunkStore(), new CaptureOptions(64 << 10)).RunAsync(CancellationToken.None)).Manifest;
        }
    }

    [Fact]
    public async Task A_volume_marked_on_an_mbr_disk_grows_and_an_extended_partition_behind_it_moves_with_its_chain()
    {
        using var folder = new TempFolder();
        var source = folder["source.img"];
        using (ImageFileDevice.Create(source, 64 * Mib)) { }
        File.WriteAllText(folder["table"], "label: dos\nstart=2048,size=20480,type=83\nstart=22528,size=40960,type=5\nstart=24576,size=8192,type=83\nstart=34816,size=8192,type=82\n");
        Shell.Run("sh", "-c", $"sfdisk -q '{source}' < '{folder["table"]}'");
        var store = new MemoryChunkStore();
        CaptureResult captured;
        using (var device = ImageFileDevice.OpenForReading(source))
            captured = await new CaptureEngine(device, store, new CaptureOptions(64 << 10)).RunAsync(CancellationToken.None);
        Assert.Equal([1, 5, 6], captured.Manifest.Volumes.Select(v => v.Header.Partition.Number));
        Assert.Equal("growVolumeUnsuitable", Plan(captured.Manifest, 100 * Mib, 5).Failure?.Code);

        var target = folder["target.img"];
        using (var device = ImageFileDevice.Create(target, 100 * Mib))
            await new DeployEngine(device, store, Plan(captured.Manifest, 100 * Mib, 1).Plan!, new DeployOptions()).RunAsync(CancellationToken.None);
        var before = Shell.Run("sfdisk", "-d", source).Replace(" ", "", StringComparison.Ordinal);
        var after = Shell.Run("sfdisk", "-d", target).Replace(" ", "", StringComparison.Ordinal);
        var moved = (100 * Mib - (22528 + 40960) * 512) / Mib * Mib / 512;
        Assert.Contains($"start=2048,size={20480 + moved},type=83", after, StringComparison.Ordinal);
        foreach (var (start, size) in (ReadOnlySpan<(long, long)>)[(22528, 40960), (24576, 8192), (34816, 8192)])
        {
            Assert.Contains($"start={start},size={size},", before, StringComparison.Ordinal);
            Assert.Contains($"start={start + moved},size={size},", after, StringComparison.Ordinal);
        }
        Shell.Run("sfdisk", "--verify", target);
    }
}
