using ImageForge.Contracts;
using ImageForge.Imaging.Deploy;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Tests.Doubles;
using Xunit.Abstractions;

namespace ImageForge.Imaging.Tests.Deploy;

public sealed class DiskSetDeployTests(ITestOutputHelper output)
{
    /// <summary>One writer: the operations are counted, and must be the same in every run.</summary>
    private static readonly DeployOptions s_options = new(HostTaskId: 7, FlushEveryBytes: 512 << 10) { WritesInFlight = 1 };

    private static SyntheticImage[] Images(int seed) =>
        [SyntheticImage.Make(new Random(seed)), SyntheticImage.Make(new Random(seed + 1), sectorSize: 4096, scheme: PartitionScheme.None)];

    private static async Task<DiskSetDeploy> DeployAsync(SyntheticImage[] images, IBlockDevice[] targets)
    {
        var plans = images.Zip(targets, (image, target) => DeployPlanner.Plan(image.Manifest, image.Hash, target.SizeBytes, target.SectorSize, ResumeRecord.ReadFrom(target)).Plan!).ToList();
        var options = s_options with { Compare = DiskSetDeploy.Compare(plans) };
        var run = new DiskSetDeploy([.. plans.Select((plan, i) => (new DeployEngine(targets[i], images[i].Store, plan, options), plan))]);
        await run.RunAsync(CancellationToken.None);
        return run;
    }

    private static void AssertComplete(SyntheticImage[] images, IBlockDevice[] targets)
    {
        for (var i = 0; i < images.Length; i++)
        {
            Assert.Null(DiskCheck.Difference(images[i].Manifest, images[i].Source, targets[i]));
            Assert.Null(DiskCheck.TableDifference(images[i].Manifest, targets[i]));
            Assert.Null(ResumeRecord.ReadFrom(targets[i]));
        }
    }

    [Fact]
    public async Task Every_disk_gets_its_own_content_and_tables()
    {
        var images = Images(1);
        MemoryDisk[] targets = [DeployEngineTests.Filled(images[0].Source.SizeBytes, 512, 0xFF), DeployEngineTests.Filled(images[1].Source.SizeBytes, 4096, 0xFF)];
        var run = await DeployAsync(images, targets);
        AssertComplete(images, targets);
        Assert.Equal(images.Sum(i => i.Manifest.UsedBytes), run.BytesWritten);
    }

    [Fact]
    public async Task A_chunk_that_the_second_disk_lacks_stops_everything_before_the_first_write()
    {
        var images = Images(2);
        images[1].Store.Frames.TryRemove(images[1].Manifest.DataChunks().Last().Id, out _);
        MemoryDisk[] targets = [DeployEngineTests.Filled(images[0].Source.SizeBytes, 512, 0xE5), DeployEngineTests.Filled(images[1].Source.SizeBytes, 4096, 0xE5)];
        var failure = await Assert.ThrowsAsync<FailureException>(() => DeployAsync(images, targets));
        Assert.Equal("chunkMissing", failure.Failure.Code);
        foreach (var target in targets)
            Assert.False(SyntheticImage.Read(target, 0, target.SizeBytes).AsSpan().ContainsAnyExcept((byte)0xE5));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    public async Task A_cut_at_any_moment_leaves_the_first_disk_without_a_way_to_boot_and_the_next_run_finishes_both(int seed)
    {
        output.WriteLine($"seed {seed}");
        var images = Images(seed);
        var random = new Random(seed);
        PowerCutDevice[] Devices(MemoryDisk[] media) => [.. media.Select(m => new PowerCutDevice(m, random))];
        MemoryDisk[] Media() => [DeployEngineTests.Filled(images[0].Source.SizeBytes, 512, 0xE5), DeployEngineTests.Filled(images[1].Source.SizeBytes, 4096, 0xE5)];

        var whole = Devices(Media());
        var fromZero = await DeployAsync(images, whole);
        var savedRuns = 0;
        for (var run = 0; run < 20; run++)
        {
            var media = Media();
            var cut = Devices(media);
            // The power goes for both: what the other disk had not flushed is lost.
            var which = run % 2;
            // Half of the cuts fall among the last writes, where one disk is complete and the other is not.
            cut[which].CutAt = run % 4 < 2 ? random.Next(1, whole[which].Operations + 1) : whole[which].Operations - random.Next(12);
            await Assert.ThrowsAsync<FailureException>(() => DeployAsync(images, cut));
            var where = $"seed {seed}, disk {which + 1}, cut {cut[which].CutAt} of {whole[which].Operations}";
            // The very last write of the first disk ends the deploy; unless that one got through, nothing leads to its partitions.
            if (DiskCheck.Table(media[0]) is { } table && !(which == 0 && cut[0].CutAt > whole[0].Operations - 6))
                Assert.Fail($"{where}: {table}");
            var next = await DeployAsync(images, Devices(media));
            AssertComplete(images, media);
            Assert.True(next.BytesFetched <= fromZero.BytesFetched, where);
            savedRuns += next.BytesFetched < fromZero.BytesFetched ? 1 : 0;
        }
        Assert.InRange(savedRuns, 10, 20);
    }
}
