using ImageForge.Imaging.Deploy;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Tests.Doubles;

namespace ImageForge.Imaging.Tests.Deploy;

public sealed class TargetSamplingTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(0xFF)]
    public async Task A_blank_disk_is_not_compared(byte content)
    {
        var image = SyntheticImage.Make(new Random(1), scale: 4);
        using var target = DeployEngineTests.Filled(image.Source.SizeBytes, 512, content);
        var progress = await DeployEngineTests.DeployAsync(image, target);
        Assert.Equal((0, 0), (progress.BytesCompared, progress.BytesKept));
        Assert.InRange(progress.BytesSampled, 1, image.Manifest.UsedBytes / 3);
        Assert.Null(DiskCheck.Difference(image.Manifest, image.Source, target));
    }

    [Fact]
    public async Task A_disk_with_another_system_is_not_compared()
    {
        var image = SyntheticImage.Make(new Random(2), scale: 4);
        using var target = new MemoryDisk(image.Source.SizeBytes);
        await DeployEngineTests.DeployAsync(SyntheticImage.Make(new Random(3), scale: 4), target);
        var progress = await DeployEngineTests.DeployAsync(image, target);
        Assert.Equal((0, 0), (progress.BytesCompared, progress.BytesKept));
        Assert.Null(DiskCheck.Difference(image.Manifest, image.Source, target));
    }

    [Fact]
    public async Task A_disk_of_which_little_is_left_is_overwritten()
    {
        var random = new Random(4);
        var image = SyntheticImage.Make(random, scale: 4);
        using var target = new MemoryDisk(image.Source.SizeBytes);
        await DeployEngineTests.DeployAsync(image.Changed(random, share: 0.9), target);
        var progress = await DeployEngineTests.DeployAsync(image, target);
        Assert.Equal(0, progress.BytesCompared);
        Assert.Null(DiskCheck.Difference(image.Manifest, image.Source, target));
    }

    [Fact]
    public async Task Of_an_older_version_only_what_differs_is_fetched_and_written()
    {
        var random = new Random(5);
        var version1 = SyntheticImage.Make(random, scale: 4);
        var version2 = version1.Changed(random, share: 0.02);
        using var target = new MemoryDisk(version1.Source.SizeBytes);
        var full = await DeployEngineTests.DeployAsync(version1, target);
        var progress = await DeployEngineTests.DeployAsync(version2, target);
        // Two in a hundred, and the first chunk of each volume, whose head the deploy itself has taken away.
        Assert.InRange(progress.BytesFetched, 1, full.BytesFetched * 8 / 100);
        Assert.Equal(version2.Manifest.UsedBytes, progress.BytesKept + progress.BytesWritten);
        Assert.Null(DiskCheck.Difference(version2.Manifest, version2.Source, target));
        Assert.Null(DiskCheck.TableDifference(version2.Manifest, target));
    }

    [Fact]
    public async Task Zeros_that_are_there_are_not_written_again()
    {
        var image = SyntheticImage.Make(new Random(6), scale: 2);
        using var target = new MemoryDisk(image.Source.SizeBytes);
        await DeployEngineTests.DeployAsync(image, target);
        var first = image.Manifest.Volumes.Sum(v => v.UsedBytesOf(v[0]));
        var progress = await DeployEngineTests.DeployAsync(image, target);
        Assert.InRange(progress.BytesWritten, 0, first);
    }

    [Fact]
    public async Task Every_volume_is_decided_for_itself()
    {
        var image = SyntheticImage.Make(new Random(7), scale: 4);
        using var target = new MemoryDisk(image.Source.SizeBytes);
        await DeployEngineTests.DeployAsync(image, target);
        var lost = image.Manifest.Volumes[1];
        target.WriteZeros(lost.Header.Partition.Offset, lost.Header.Partition.Length);
        var progress = await DeployEngineTests.DeployAsync(image, target);
        Assert.True(progress.BytesWritten >= lost.UsedBytes);
        Assert.True(progress.BytesKept > (image.Manifest.UsedBytes - lost.UsedBytes) / 2);
        Assert.True(progress.BytesCompared <= image.Manifest.Volumes.Where(v => v != lost).Sum(v => v.Header.Partition.Length));
        Assert.Null(DiskCheck.Difference(image.Manifest, image.Source, target));
    }
}
