using System.Globalization;
using ImageForge.Imaging.Deploy;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.FileSystems;
using ImageForge.Imaging.Tests.Doubles;
using ImageForge.Imaging.Tests.FileSystems;

namespace ImageForge.Imaging.Tests.Layouts;

/// <summary>Many logical partitions, made by sfdisk and judged by libblkid, sfdisk and the bytes themselves.</summary>
public sealed class LogicalPartitionTests
{
    private const long Mib = 1 << 20;

    [Theory]
    [InlineData(1, "5")]
    [InlineData(40, "f")]
    [InlineData(56, "85")]
    public void Are_volumes_of_their_own_and_the_extended_partition_is_none(int count, string type)
    {
        using var disk = MadeDisk.WithLogicals(count, type, sectorsEach: 64);
        var layout = disk.Layout();
        Assert.Equal(disk.Blkid(), layout.Partitions.OrderBy(p => p.Number).Select(p =>
            string.Create(CultureInfo.InvariantCulture, $"{p.Number} {p.Offset / 512} {p.Length / 512} {p.Type} {p.UniqueId}")));
        Assert.Equal([1, .. Enumerable.Range(5, count)], layout.Partitions.Select(p => p.Number));
        Assert.All(layout.Partitions, p => Assert.Null(p.Opaque));
        Assert.Equal(count > 2 ? [1, 7] : [1], layout.Partitions.Where(p => p.Attributes == 0x80).Select(p => p.Number));
        Assert.Equal(count, layout.RawRegions.Count(r => r.Kind == RawRegionKind.Ebr));
    }

    [Fact]
    public async Task Come_back_with_every_boot_record_and_every_gap()
    {
        using var disk = MadeDisk.WithLogicals(40);
        using var ext = MadeVolume.Ext("ext4", 2 * Mib, "-O ^has_journal", files: 0);
        using var fat = MadeVolume.Fat(2 * Mib, "-F 12", files: 8);
        var layout = disk.Layout();
        var logicals = layout.Partitions.Where(p => p.Number >= 5).ToList();
        foreach (var logical in logicals)
            disk.CopyIn(logical.Number % 2 == 0 ? ext.Image : fat.Image, logical.Offset);
        // Boot code in a record, behind it, and at the end of a gap; LILO and syslinux leave such.
        var code = new byte[440];
        code.AsSpan().Fill(0xC3);
        disk.Write(logicals[3].Offset - Mib, code);
        disk.Write(logicals[3].Offset - Mib + 512, code);
        disk.Write(logicals[9].Offset - 512, code);

        foreach (var larger in new[] { 0, 64 * Mib })
        {
            var (target, manifest) = await RoundTrip.RunAsync(disk, larger == 0 ? 0 : layout.SizeBytes + larger);
            using (target)
            {
                Assert.Equal(disk.SfdiskDump(), target.SfdiskDump());
                Assert.Equal(20, manifest.Volumes.Count(v => v.Header.FileSystem == FileSystemKind.Fat12));
                Assert.Equal(20, manifest.Volumes.Count(v => v.Header.FileSystem == FileSystemKind.Ext4));
                // From the extended partition's first sector to the last logical's, everything but the free blocks in them is the source's.
                foreach (var logical in logicals)
                    Assert.Equal(disk.Bytes(logical.Offset - Mib, (int)Mib), target.Bytes(logical.Offset - Mib, (int)Mib));
                Shell.Run("fsck.ext4", "-fn", target.CopyOut(logicals.Single(p => p.Number == 42)));
                Shell.Run("fsck.fat", "-n", target.CopyOut(logicals.Single(p => p.Number == 43)));
                Assert.InRange(manifest.Regions.Sum(r => r.Bytes.Length), 40 * 512, 4 * (int)Mib);
            }
        }
    }

    [Fact]
    public async Task Come_back_when_their_chain_does_not_follow_the_disk()
    {
        // Deleted and made again: the chain runs from the end to the start and back, and libblkid counts along it.
        using var disk = new MadeDisk(64 * Mib);
        HandMadeChain.Write(disk, 8192, 100000, (8192, 73728, 2048), (12224, 12288, 4096), (43000, 43008, 2048));
        var layout = disk.Layout();
        Assert.Equal([(6, 12288L), (7, 43008L), (5, 73728L)], layout.Partitions.Select(p => (p.Number, p.Offset / 512)));
        Assert.Equal(disk.Blkid(), layout.Partitions.OrderBy(p => p.Number).Select(p => $"{p.Number} {p.Offset / 512} {p.Length / 512} {p.Type} {p.UniqueId}"));
        var (target, _) = await RoundTrip.RunAsync(disk);
        using (target)
            Assert.Equal(disk.SfdiskDump(), target.SfdiskDump());
    }

    [Fact]
    public async Task Come_back_on_sectors_of_4096_bytes()
    {
        using var disk = new MadeDisk(64 * Mib, sectorSize: 4096);
        HandMadeChain.Write(disk, 1024, 12000, (1024, 1280, 512), (2048, 2304, 256));
        Assert.Equal([(5, 1280 * 4096L, 512 * 4096L), (6, 2304 * 4096L, 256 * 4096L)], disk.Layout().Partitions.Select(p => (p.Number, p.Offset, p.Length)));
        var (target, _) = await RoundTrip.RunAsync(disk);
        target.Dispose();
    }

    [Fact]
    public async Task Need_a_disk_on_which_the_whole_extended_partition_fits()
    {
        using var disk = MadeDisk.WithLogicals(1, sectorsEach: 2048);
        var (result, _) = await RoundTrip.CaptureAsync(disk);
        var end = (8192L + 2048 + 2048 + 2048) * 512;
        Assert.True(DeployPlanner.Plan(result.Manifest, result.ManifestHash, end, 512, null).IsPlanned);
        Assert.Equal("diskTooSmall", DeployPlanner.Plan(result.Manifest, result.ManifestHash, end - 512, 512, null).Failure?.Code);
    }

    [Fact]
    public void A_record_without_a_partition_takes_no_number()
    {
        using var disk = new MadeDisk(64 * Mib);
        HandMadeChain.Write(disk, 8192, 100000, (8192, 0, 0), (71680, 73728, 2048));
        Assert.Equal([5], disk.Layout().Partitions.Select(p => p.Number));
        Assert.Equal([(8192L, 512L), (71680L, 512L)], disk.Layout().RawRegions.Where(r => r.Kind == RawRegionKind.Ebr).Select(r => (r.Offset / 512, r.Length)));
    }

    [Fact]
    public void An_empty_extended_partition_is_kept_as_it_is()
    {
        using var disk = MadeDisk.Sfdisk(16 * Mib, "label: dos\nstart=2048, size=16384, type=5\n");
        var layout = disk.Layout();
        Assert.Empty(layout.Partitions);
        Assert.Contains("no logical partition", Assert.Single(layout.Notes), StringComparison.Ordinal);
    }
}
