using ImageForge.Contracts;
using ImageForge.Imaging.Deploy;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.FileSystems;
using ImageForge.Imaging.Manifests;
using ImageForge.Imaging.Resize;
using ImageForge.Imaging.Tests.FileSystems;
using ImageForge.Imaging.Tests.Manifests;
using Xunit.Abstractions;

namespace ImageForge.Imaging.Tests.Resize;

/// <summary>Images made smaller for smaller disks: real file systems, shrunk in the image by their own resizers, judged after a deploy.</summary>
public sealed class ShrinkTests(ITestOutputHelper output)
{
    private const long Mib = 1 << 20;

    private static MadeVolume Make(string kind) => kind == "ntfs" ? MadeVolume.Ntfs(200 * Mib, "", files: 100) : MadeVolume.Ext(kind, 200 * Mib, "", files: 100);

    [Theory]
    [InlineData("ext4")]
    [InlineData("ext2")]
    [InlineData("ntfs")]
    public async Task A_smaller_disk_gets_every_file_and_what_lies_behind_moves_forward(string kind)
    {
        var start = LaidOutDisk.PlacesOf([20 * Mib, 200 * Mib, 16 * Mib])[2].Offset / 512;
        using var disk = new LaidOutDisk([MadeVolume.Fat(20 * Mib, ""), Make(kind), MadeVolume.Ntfs(16 * Mib, $"-p {start} -H 16 -S 63", files: 20)], ["ef00", "8300", "2700"]);
        var smaller = disk.Bytes - 90 * Mib;
        Assert.Equal("diskTooSmall", DeployPlanner.Plan(disk.Captured.Manifest, disk.Captured.ManifestHash, smaller, 512, null).Failure?.Code);
        var stored = disk.Store.Stored;
        var result = await ShrinkAsync(disk, smaller);
        output.WriteLine($"{disk.Store.Stored - stored} chunks more");
        Assert.True(disk.Store.Stored - stored < stored / 2, $"{disk.Store.Stored - stored} chunks more on top of {stored}");
        Assert.Equal([(2, 200 * Mib, 110 * Mib)], result.Shrunk);
        Assert.Equal("Shrunk from 209.7 MB to 115.3 MB.", result.Manifest.Volumes[1].Header.Note);

        var manifest = ManifestTests.Parse(result.ManifestBytes);
        var target = await DeployAsync(disk, manifest, result.ManifestHash, smaller);
        Assert.Contains("No problems found", Shell.Run("sgdisk", "-v", target), StringComparison.Ordinal);
        using (var device = ImageFileDevice.OpenForReading(target))
            foreach (var region in manifest.Regions)
                Assert.Equal(region.Bytes.ToArray(), Doubles.SyntheticImage.Read(device, region.Offset, region.Length));
        string[][] checkers = [["fsck.fat", "-n"], kind == "ntfs" ? ["ntfsfix", "-n"] : ["e2fsck", "-fn"], ["ntfsfix", "-n"]];
        for (var i = 0; i < 3; i++)
        {
            var partition = manifest.Volumes[i].Header.Partition;
            var part = disk.Extract(target, partition.Offset, partition.Length);
            Shell.Run(checkers[i][0], [.. checkers[i][1..], part]);
            Assert.Equal(disk.Volumes[i].HashFiles(disk.Volumes[i].Image), disk.Volumes[i].HashFiles(part));
            if (i == 2)
            {
                var bytes = File.ReadAllBytes(part);
                var copy = (int)HiddenSectors.NtfsCopyAt(bytes)!.Value;
                Assert.Equal((uint)(partition.Offset / 512), bytes.U32(28));
                Assert.Equal(bytes.AsSpan(0, 512), bytes.AsSpan(copy, 512));
            }
        }
    }

    [Fact]
    public async Task What_cannot_become_small_enough_is_refused_with_the_numbers()
    {
        using var disk = new LaidOutDisk([MadeVolume.Ext("ext4", 64 * Mib, "", files: 50), MadeVolume.Xfs(64 * Mib, "", files: 20)], ["8300", "8300"]);
        var failure = (await Assert.ThrowsAsync<FailureException>(() => ShrinkAsync(disk, 70 * Mib))).Failure;
        Assert.Equal(("shrinkImpossible", Fault.Image), (failure.Code, failure.Fault));
        output.WriteLine(failure.Sentence);
        Assert.Contains($"the disk has {70 * Mib:N0} bytes", failure.Sentence, StringComparison.Ordinal);
        Assert.Contains("XFS cannot be made smaller", failure.Sentence, StringComparison.Ordinal);
        Assert.Equal("shrinkNotNeeded", (await Assert.ThrowsAsync<FailureException>(() => ShrinkAsync(disk, disk.Bytes))).Failure.Code);
    }

    private async Task<ShrinkResult> ShrinkAsync(LaidOutDisk disk, long bytes)
    {
        var engine = new ShrinkEngine(disk.Captured.Manifest, disk.Store, disk.Store, disk.Folder["work"]);
        var result = await engine.RunAsync(bytes, output.WriteLine, CancellationToken.None);
        Assert.Empty(Directory.EnumerateFileSystemEntries(disk.Folder["work"]));
        return result;
    }

    private static async Task<string> DeployAsync(LaidOutDisk disk, Manifest manifest, string hash, long bytes)
    {
        var target = disk.Target(bytes);
        using var device = ImageFileDevice.OpenForWriting(target);
        var outcome = DeployPlanner.Plan(manifest, hash, device.SizeBytes, 512, null);
        Assert.True(outcome.IsPlanned, outcome.Failure?.Sentence);
        await new DeployEngine(device, disk.Store, outcome.Plan, new DeployOptions()).RunAsync(CancellationToken.None);
        return target;
    }
}
