using ImageForge.Contracts;
using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Deploy;
using ImageForge.Imaging.Deploy.Arrivals;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Manifests;
using ImageForge.Imaging.Pipelines;
using ImageForge.Imaging.Tests.Doubles;

namespace ImageForge.Imaging.Tests.Deploy.Arrivals;

public sealed class ArrivalDeployTests
{
    internal static ChunkNumbers Numbers(params SyntheticImage[] images) => new(new ImageDisks([.. images.Select(i => new ImageDisk(null, i.Hash, i.Manifest))]));

    internal static async Task<DeployProgress> DeployAsync(
        SyntheticImage image, IBlockDevice target, IChunkArrivals stream, DeployOptions? options = null, IChunkSource? source = null, WritePlan? plan = null)
    {
        var engine = new DeployEngine(target, source ?? image.Store, plan ?? DeployEngineTests.Plan(image, target), options ?? new DeployOptions())
        {
            Stream = new ChunkStream(Numbers(image), stream),
        };
        await engine.RunAsync(CancellationToken.None);
        return engine.Progress;
    }

    internal static void AssertComplete(SyntheticImage image, IBlockDevice target)
    {
        Assert.Null(DiskCheck.Difference(image.Manifest, image.Source, target));
        Assert.Null(DiskCheck.TableDifference(image.Manifest, target));
        Assert.Null(ResumeRecord.ReadFrom(target));
    }

    [Theory]
    [InlineData(512, 64 << 10, PartitionScheme.Gpt)]
    [InlineData(512, 256 << 10, PartitionScheme.Mbr)]
    [InlineData(4096, 64 << 10, PartitionScheme.None)]
    [InlineData(512, 1 << 20, PartitionScheme.Gpt)]
    [InlineData(512, 4 << 20, PartitionScheme.Gpt)]
    [InlineData(512, 16 << 20, PartitionScheme.None)]
    public async Task In_any_order_and_with_repetitions_the_stream_alone_makes_the_disk(int sectorSize, int chunkSize, PartitionScheme scheme)
    {
        var random = new Random(chunkSize + sectorSize);
        var image = SyntheticImage.Make(random, sectorSize, chunkSize, scheme: scheme);
        using var target = DeployEngineTests.Filled(image.Source.SizeBytes, sectorSize, 0xE5);
        var stream = new ShuffledStream(image.Store, random) { Again = 0.3 };
        var progress = await DeployAsync(image, target, stream, source: new NoSource());
        AssertComplete(image, target);
        Assert.Equal(image.Manifest.DataChunks().DistinctBy(c => c.Id).Count(), stream.Asked);
        Assert.Equal(image.Manifest.UsedBytes, progress.BytesWritten);
        Assert.Equal((0, stream.Chunks!.ArrivedBytes), (progress.BytesFetched, progress.BytesArrived));
        Assert.Equal((0, 0), (stream.Chunks.LackingCount, stream.Chunks.WaitingBytes));
        Assert.Empty(stream.Refused);
    }

    [Fact]
    public async Task What_does_not_come_is_fetched_and_nothing_else()
    {
        var random = new Random(1);
        var image = SyntheticImage.Make(random);
        using var target = DeployEngineTests.Filled(image.Source.SizeBytes, 512, 0xE5);
        var lost = new HashSet<int>();
        var stream = new ShuffledStream(image.Store, random) { Change = (n, frame) => random.Next(10) == 0 && lost.Add(n) ? null : lost.Contains(n) ? null : frame };
        await DeployAsync(image, target, stream);
        AssertComplete(image, target);
        Assert.NotEmpty(lost);
        Assert.Equal(Places(image, lost), image.Store.Fetched);
    }

    [Fact]
    public async Task A_stream_that_ends_in_the_middle_leaves_the_rest_to_the_source()
    {
        var random = new Random(2);
        var image = SyntheticImage.Make(random);
        using var target = DeployEngineTests.Filled(image.Source.SizeBytes, 512, 0xE5);
        var stream = new ShuffledStream(image.Store, random) { StopAfter = 30 };
        var progress = await DeployAsync(image, target, stream);
        AssertComplete(image, target);
        Assert.Equal(30, stream.Given);
        Assert.Equal(stream.Asked - 30, stream.Chunks!.LackingCount);
        Assert.InRange(image.Store.Fetched, stream.Asked - 30, image.Manifest.DataChunks().Count() - 30);
        Assert.Equal(image.Manifest.UsedBytes, progress.BytesWritten);
    }

    [Fact]
    public async Task Wrong_frames_are_refused_once_and_fetched_from_the_source()
    {
        var random = new Random(3);
        var image = SyntheticImage.Make(random);
        using var target = DeployEngineTests.Filled(image.Source.SizeBytes, 512, 0xE5);
        var numbers = Numbers(image);
        var wrong = new HashSet<int>();
        byte[] Harm(int number, byte[] frame)
        {
            if (number % 5 != 0)
                return frame;
            wrong.Add(number);
            return (number / 5 % 5) switch
            {
                0 => [],
                1 => new byte[ChunkFrame.MaxLength(numbers.PlainLength(number)) + 1],
                2 => image.Store.Frames[numbers[number + 1]],
                3 => frame[..^1],
                _ => SyntheticImage.Frame(new byte[numbers.PlainLength(number)]),
            };
        }
        var stream = new ShuffledStream(image.Store, random) { Change = Harm, Again = 0.5 };
        var refused = new List<int>();
        await DeployAsync(image, target, new Collecting(stream, refused));
        AssertComplete(image, target);
        Assert.Equal(wrong.Order(), refused.Order());
        Assert.Equal(Places(image, wrong), image.Store.Fetched);
    }

    [Fact]
    public async Task Of_a_new_version_only_what_the_disk_lacks_is_asked_for()
    {
        var random = new Random(4);
        var first = SyntheticImage.Make(random);
        var second = first.Changed(random, share: 0.1);
        using var target = DeployEngineTests.Filled(first.Source.SizeBytes, 512, 0);
        await DeployEngineTests.DeployAsync(first, target);
        var held = first.Manifest.DataChunks().Select(c => c.Id).ToHashSet();
        var heads = second.Manifest.Volumes.Count;
        var changed = second.Manifest.DataChunks().Select(c => c.Id).Distinct().Count(id => !held.Contains(id));
        var stream = new ShuffledStream(second.Store, random);
        var progress = await DeployAsync(second, target, stream, source: new NoSource());
        AssertComplete(second, target);
        Assert.InRange(stream.Asked, changed, changed + heads);
        Assert.Equal(second.Manifest.UsedBytes, progress.BytesWritten + progress.BytesKept);
        Assert.True(progress.BytesKept > 2 * progress.BytesWritten);
    }

    [Fact]
    public async Task Selected_volumes_ask_for_their_own_chunks_by_the_numbers_of_the_whole_image()
    {
        var random = new Random(5);
        var image = SyntheticImage.Make(random);
        using var target = DeployEngineTests.Filled(image.Source.SizeBytes, 512, 0xE5);
        foreach (var region in image.Manifest.Regions)
            target.Write(region.Offset, region.Bytes.Span);
        var plan = DeployPlanner.Plan(image.Manifest, image.Hash, target.SizeBytes, 512, new DeployChoices(Volumes: [2]), TargetContents.Read(target, CancellationToken.None)).Plan!;
        var stream = new ShuffledStream(image.Store, random);
        await DeployAsync(image, target, stream, source: new NoSource(), plan: plan);
        Assert.Equal(image.Manifest.Volumes[1].Chunks().Where(c => c.Kind == ChunkKind.Data).DistinctBy(c => c.Id).Count(), stream.Asked);
        Assert.Null(DiskCheck.Difference(image.Manifest with { Volumes = [image.Manifest.Volumes[1]] }, image.Source, target));
    }

    [Fact]
    public async Task Another_identity_and_another_size_of_disk_change_no_number()
    {
        var random = new Random(6);
        var image = SyntheticImage.Make(random);
        using var target = DeployEngineTests.Filled(image.Source.SizeBytes + (64 << 20), 512, 0xE5);
        var plan = DeployPlanner.Plan(NewIdentity.Of(image.Manifest), image.Hash, target.SizeBytes, 512, new DeployChoices(Fill: true, GrowVolume: 1), TargetContents.Read(target, CancellationToken.None)).Plan!;
        Assert.Contains(plan.Places, p => p.IsMoved);
        await DeployAsync(image, target, new ShuffledStream(image.Store, random), source: new NoSource(), plan: plan);
        var layout = Assert.IsType<PartitionTableReading.Found>(PartitionTables.Read(target)).Layout;
        Assert.NotEqual(image.Manifest.Gpt!.DiskGuid, layout.Gpt!.DiskGuid);
        foreach (var volume in plan.Manifest.Volumes)
            foreach (var chunk in volume.Chunks().Where(c => c.Kind == ChunkKind.Data))
                Assert.True(new SpanOnDisk(target).IsRight(volume, chunk, new byte[chunk.Length]), $"volume {volume.Header.Partition.Number}, chunk {chunk.Index}");
    }

    [Fact]
    public async Task One_stream_feeds_all_disks_of_an_image_and_a_chunk_of_both_comes_once()
    {
        var random = new Random(7);
        SyntheticImage[] images = [SyntheticImage.Make(new Random(70)), SyntheticImage.Make(new Random(71), 4096, scheme: PartitionScheme.None), SyntheticImage.Make(new Random(70))];
        MemoryDisk[] targets = [.. images.Select(i => DeployEngineTests.Filled(i.Source.SizeBytes, i.Source.SectorSize, 0xE5))];
        var store = new MemoryChunkStore();
        foreach (var (id, frame) in images.SelectMany(i => i.Store.Frames))
            store.Frames[id] = frame;
        var plans = images.Zip(targets, DeployEngineTests.Plan).ToList();
        var stream = new ShuffledStream(store, random);
        var set = new DiskSetDeploy([.. plans.Select((plan, i) => (new DeployEngine(targets[i], new NoSource(), plan, new DeployOptions()), plan))])
        {
            Stream = new ChunkStream(Numbers(images), stream),
        };
        await set.RunAsync(CancellationToken.None);
        for (var i = 0; i < images.Length; i++)
            AssertComplete(images[i], targets[i]);
        Assert.Equal(images[0].Store.Frames.Keys.Union(images[1].Store.Frames.Keys).Count(), stream.Asked);
        Assert.Equal(images.Sum(i => i.Manifest.UsedBytes), set.BytesWritten);
        Assert.Equal(stream.Chunks!.ArrivedBytes, set.BytesArrived);
    }

    [Fact]
    public async Task A_write_error_while_the_stream_runs_stops_it_and_names_the_volume()
    {
        var image = SyntheticImage.Make(new Random(8));
        using var target = new FailingDevice(DeployEngineTests.Filled(image.Source.SizeBytes, 512, 0));
        var stream = new ShuffledStream(image.Store, new Random(8));
        var bad = image.Manifest.Volumes[1].Header.Partition.Offset + (2 << 20);
        target.WriteRule = (offset, length) => stream.Given > 0 && offset <= bad && offset + length > bad ? 5 : 0;
        var failure = await Assert.ThrowsAsync<FailureException>(() => DeployAsync(image, target, stream));
        Assert.Equal((Fault.Disk, "diskMediumError"), (failure.Failure.Fault, failure.Failure.Code));
        Assert.Contains("volume 2", failure.Failure.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cancelled_while_the_disk_is_stuck_it_ends()
    {
        var image = SyntheticImage.Make(new Random(9), scale: 3);
        using var stuck = new ManualResetEventSlim();
        using var target = new FailingDevice(DeployEngineTests.Filled(image.Source.SizeBytes, 512, 0));
        var stream = new ShuffledStream(image.Store, new Random(9));
        target.WriteRule = (_, _) =>
        {
            if (stream.Given > 0)
                stuck.Wait();
            return 0;
        };
        using var cancel = new CancellationTokenSource();
        var engine = new DeployEngine(target, image.Store, DeployEngineTests.Plan(image, target), new DeployOptions()) { Stream = new ChunkStream(Numbers(image), stream) };
        var running = engine.RunAsync(cancel.Token);
        while (stream.Chunks is null || stream.Chunks.HasRoom)
            await Task.Delay(5);
        Assert.True(stream.Chunks.WaitingBytes > 8 << 20);
        Assert.Equal(Bottleneck.Disk, stream.Chunks.Behind);
        await cancel.CancelAsync();
        stuck.Set();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running.WaitAsync(TimeSpan.FromSeconds(20)));
    }

    /// <summary>Places of chunks in the image, counting each.</summary>
    private static int Places(SyntheticImage image, IEnumerable<int> numbers)
    {
        var ids = numbers.Select(n => Numbers(image)[n]).ToHashSet();
        return image.Manifest.DataChunks().Count(c => ids.Contains(c.Id));
    }

    /// <summary>Asks for refusals until every frame has been looked at.</summary>
    private sealed class Collecting(ShuffledStream inner, List<int> refused) : IChunkArrivals
    {
        public async Task RunAsync(ArrivingChunks chunks, CancellationToken cancel)
        {
            await inner.RunAsync(chunks, cancel);
            while (chunks.Frames.Count > 0 || !chunks.HasRoom)
                await Task.Delay(5, cancel);
            await Task.Delay(100, cancel);
            refused.AddRange([.. inner.Refused, .. chunks.Refused()]);
        }
    }
}
