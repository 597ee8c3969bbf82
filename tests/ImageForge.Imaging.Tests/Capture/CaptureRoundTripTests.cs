using ImageForge.Imaging.Capture;
using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Deploy;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.FileSystems;
using ImageForge.Imaging.Manifests;
using ImageForge.Imaging.Tests.Doubles;
using ImageForge.Imaging.Tests.Manifests;
using Xunit.Abstractions;

namespace ImageForge.Imaging.Tests.Capture;

/// <summary>Real file systems: disk → chunks → another disk, judged by fsck, ntfsfix, sgdisk and the files themselves.</summary>
public sealed class CaptureRoundTripTests(RealDisk disk, ITestOutputHelper output) : IClassFixture<RealDisk>
{
    [Theory]
    [InlineData(1 << 20, 0)]
    [InlineData(1 << 20, 0xFF)]
    [InlineData(64 << 10, 0xFF)]
    [InlineData(4 << 20, 0xFF)]
    public Task Every_used_block_and_every_file_comes_back(int chunkSize, byte before) => RoundTripAsync(disk, chunkSize, before, judged: true);

    [Fact]
    public async Task A_disk_with_4096_byte_sectors_comes_back()
    {
        using var advanced = new RealDisk(4096);
        await RoundTripAsync(advanced, 1 << 20, 0xFF, judged: true);
    }

    [Fact]
    public async Task Xfs_btrfs_and_f2fs_come_back()
    {
        using var linux = RealDisk.OfLinux();
        await RoundTripAsync(linux, 1 << 20, 0xFF, judged: true, FileSystemKind.Xfs, FileSystemKind.Btrfs, FileSystemKind.F2fs);
    }

    private async Task RoundTripAsync(RealDisk disk, int chunkSize, byte before, bool judged, params FileSystemKind[] kinds)
    {
        using var folder = new TempFolder();
        var hash = disk.Hash();
        var store = new FileChunkStore(folder["chunks"]);
        CaptureResult result;
        CaptureProgress progress;
        using (var source = ImageFileDevice.OpenForReading(disk.Image, disk.SectorSize))
        {
            var capture = new CaptureEngine(source, store, new CaptureOptions(chunkSize, DiskModel: "file"));
            result = await capture.RunAsync(CancellationToken.None);
            progress = capture.Progress;
        }
        Assert.Equal(hash, disk.Hash());
        output.WriteLine($"{result.Manifest.UsedBytes} used bytes, {progress.BytesSent} sent in {progress.ChunksSent} chunks, manifest {result.ManifestBytes.Length} bytes");
        Assert.Equal((progress.BytesTotal, progress.BytesTotal), (progress.BytesDone, result.Manifest.UsedBytes));
        Assert.Equal(kinds is [] ? [FileSystemKind.Fat32, FileSystemKind.Ext4, FileSystemKind.Ntfs] : kinds, result.Manifest.Volumes.Select(v => v.Header.FileSystem).Select(k => k == FileSystemKind.Fat16 ? FileSystemKind.Fat32 : k));
        Assert.All(result.Manifest.Volumes, v => Assert.InRange(v.UsedBytes, 1 << 20, v.Header.Partition.Length * 3 / 4));

        var target = folder["target.img"];
        using (var file = ImageFileDevice.Create(target, new FileInfo(disk.Image).Length, disk.SectorSize))
            if (before != 0)
                Fill(file, before);
        using (var device = ImageFileDevice.OpenForWriting(target, disk.SectorSize))
        {
            var manifest = ManifestTests.Parse(result.ManifestBytes);
            var outcome = DeployPlanner.Plan(manifest, result.ManifestHash, device.SizeBytes, device.SectorSize, ResumeRecord.ReadFrom(device));
            Assert.True(outcome.IsPlanned);
            await new DeployEngine(device, store, outcome.Plan, new DeployOptions()).RunAsync(CancellationToken.None);
            using var source = ImageFileDevice.OpenForReading(disk.Image, disk.SectorSize);
            Assert.Null(DiskCheck.Difference(manifest, source, device));
            Assert.Null(DiskCheck.TableDifference(manifest, device));
        }
        if (judged)
            disk.AssertEqualFileSystems(target);
    }

    [Fact]
    public async Task A_deployed_disk_gives_the_same_manifest_and_sends_nothing()
    {
        using var folder = new TempFolder();
        var store = new MemoryChunkStore();
        var first = await CaptureAsync(disk.Image, store);
        var sent = store.Stored;
        var target = folder["target.img"];
        using (var device = ImageFileDevice.Create(target, new FileInfo(disk.Image).Length))
        {
            var outcome = DeployPlanner.Plan(first.Manifest, first.ManifestHash, device.SizeBytes, 512, null);
            await new DeployEngine(device, store, outcome.Plan!, new DeployOptions()).RunAsync(CancellationToken.None);
        }
        var second = await CaptureAsync(target, store);
        Assert.Equal(sent, store.Stored);
        Assert.Equal(first.ManifestHash, second.ManifestHash);
    }

    private static async Task<CaptureResult> CaptureAsync(string image, MemoryChunkStore store)
    {
        using var source = ImageFileDevice.OpenForReading(image);
        return await new CaptureEngine(source, store, new CaptureOptions()).RunAsync(CancellationToken.None);
    }

    private static void Fill(ImageFileDevice file, byte value)
    {
        var page = new byte[1 << 20];
        page.AsSpan().Fill(value);
        for (long at = 0; at < file.SizeBytes; at += page.Length)
            file.Write(at, page.AsSpan(0, (int)Math.Min(page.Length, file.SizeBytes - at)));
    }
}
