using ImageForge.Contracts;
using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Deploy;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Manifests;
using ImageForge.Imaging.Tests.Doubles;
using Xunit.Abstractions;

namespace ImageForge.Imaging.Tests.Deploy.Arrivals;

public sealed class ArrivalPowerCutTests(ITestOutputHelper output)
{
    private static readonly DeployOptions s_options = new(HostTaskId: 7, FlushEveryBytes: 512 << 10);

    [Theory]
    [InlineData(512, PartitionScheme.Gpt, 1)]
    [InlineData(4096, PartitionScheme.Gpt, 2)]
    [InlineData(512, PartitionScheme.None, 3)]
    public async Task A_cut_at_any_moment_leaves_nothing_to_boot_and_the_next_run_asks_the_stream_only_for_what_is_missing(int sectorSize, PartitionScheme scheme, int seed)
    {
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var image = SyntheticImage.Make(random, sectorSize, scheme: scheme, disc: scheme == PartitionScheme.None);
        using var old = PowerCutTests.OldDisk(image.Source.SizeBytes, sectorSize);
        using var whole = new PowerCutDevice(PowerCutTests.Copy(old), random);
        var all = new ShuffledStream(image.Store, random);
        await ArrivalDeployTests.DeployAsync(image, whole, all, s_options);
        var saved = 0;
        for (var run = 0; run < 20; run++)
        {
            using var medium = PowerCutTests.Copy(old);
            using var cut = new PowerCutDevice(medium, random) { CutAt = random.Next(1, whole.Operations + 1) };
            var failure = await Record.ExceptionAsync(() => ArrivalDeployTests.DeployAsync(image, cut, new ShuffledStream(image.Store, random) { Disorder = 10 }, s_options));
            if (failure is not null)
            {
                Assert.Equal(Fault.Disk, Assert.IsType<FailureException>(failure).Failure.Fault);
                PowerCutTests.AssertCannotBoot(image, old, medium, $"seed {seed}, cut {cut.CutAt} of {whole.Operations}");
            }
            var resumes = DeployEngineTests.Plan(image, medium).Resuming;
            var lacking = Lacking(image, medium);
            var stream = new ShuffledStream(image.Store, random);
            await ArrivalDeployTests.DeployAsync(image, medium, stream, s_options, new NoSource());
            ArrivalDeployTests.AssertComplete(image, medium);
            // Without a table the disk's last sector, which every run clears first, belongs to the volume.
            if (resumes)
                Assert.InRange(stream.Asked, lacking, lacking + (scheme == PartitionScheme.None ? 1 : 0));
            saved += stream.Asked < all.Asked ? 1 : 0;
        }
        output.WriteLine($"{saved} of 20 runs saved something; {whole.Operations} operations");
        Assert.InRange(saved, 5, 20);
    }

    [Fact]
    public async Task A_run_with_a_stream_is_resumed_without_one_and_the_other_way_round()
    {
        var random = new Random(4);
        var image = SyntheticImage.Make(random);
        using var medium = PowerCutTests.OldDisk(image.Source.SizeBytes, 512);
        using (var cut = new PowerCutDevice(medium, random) { CutAt = 30 })
            await Assert.ThrowsAsync<FailureException>(() => ArrivalDeployTests.DeployAsync(image, cut, new ShuffledStream(image.Store, random), s_options));
        var first = Lacking(image, medium);
        using (var cut = new PowerCutDevice(medium, random) { CutAt = 20 })
            await Assert.ThrowsAsync<FailureException>(() => DeployEngineTests.DeployAsync(image, cut, s_options));
        var second = Lacking(image, medium);
        Assert.True(second < first, $"{second} of {first} chunks are still lacking");
        var stream = new ShuffledStream(image.Store, random);
        await ArrivalDeployTests.DeployAsync(image, medium, stream, s_options, new NoSource());
        Assert.Equal(second, stream.Asked);
        ArrivalDeployTests.AssertComplete(image, medium);
    }

    /// <summary>Distinct chunks that some place of the disk does not hold; the heads of volumes never count as held.</summary>
    private static int Lacking(SyntheticImage image, IBlockDevice disk)
    {
        var lacking = new HashSet<ChunkId>();
        foreach (var volume in image.Manifest.Volumes)
            foreach (var chunk in volume.Chunks().Where(c => c.Kind == ChunkKind.Data))
                if (chunk.VolumeOffset < DiskCheck.HeadBytes(volume, disk) || !new SpanOnDisk(disk).IsRight(volume, chunk, new byte[chunk.Length]))
                    lacking.Add(chunk.Id);
        return lacking.Count;
    }
}
