using ImageForge.Imaging.Capture;
using ImageForge.Imaging.Deploy;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Manifests;
using ImageForge.Imaging.Tests.Doubles;
using ImageForge.Imaging.Tests.Manifests;

namespace ImageForge.Imaging.Tests.Layouts;

/// <summary>Disk → image → another disk, with what must hold for every layout checked on the way.</summary>
internal static class RoundTrip
{
    public static async Task<(CaptureResult Result, MemoryChunkStore Store)> CaptureAsync(MadeDisk disk)
    {
        var before = disk.Hash();
        var store = new MemoryChunkStore();
        using var source = disk.Read();
        var result = await new CaptureEngine(source, store, new CaptureOptions(64 << 10)).RunAsync(CancellationToken.None);
        Assert.Equal(before, disk.Hash());
        return (result, store);
    }

    /// <summary>Deploys onto a disk of that size which was full of <paramref name="fill"/>; every used byte and every table sector is compared.</summary>
    /// <param name="bytes">0: as large as the source.</param>
    public static async Task<(MadeDisk Target, Manifest Manifest)> RunAsync(MadeDisk disk, long bytes = 0, byte fill = 0xFF)
    {
        var (result, store) = await CaptureAsync(disk);
        var manifest = ManifestTests.Parse(result.ManifestBytes);
        var target = new MadeDisk(bytes == 0 ? manifest.DiskSizeBytes : bytes, fill, disk.SectorSize);
        await DeployAsync(target, manifest, result.ManifestHash, store);
        using var source = disk.Read();
        using var written = target.Read();
        Assert.Null(DiskCheck.Difference(manifest, source, written));
        if (written.SizeBytes == source.SizeBytes || manifest.Gpt is null)
            Assert.Null(DiskCheck.TableDifference(manifest, written));
        return (target, manifest);
    }

    public static async Task DeployAsync(MadeDisk target, Manifest manifest, string hash, MemoryChunkStore store)
    {
        using var device = ImageFileDevice.OpenForWriting(target.Image, target.SectorSize);
        var outcome = DeployPlanner.Plan(manifest, hash, device.SizeBytes, device.SectorSize, ResumeRecord.ReadFrom(device));
        Assert.True(outcome.IsPlanned, outcome.Failure?.Sentence);
        await new DeployEngine(device, store, outcome.Plan, new DeployOptions()).RunAsync(CancellationToken.None);
    }
}
