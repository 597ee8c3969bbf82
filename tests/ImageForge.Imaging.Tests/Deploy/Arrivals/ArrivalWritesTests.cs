using System.Globalization;
using ImageForge.Contracts;
using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Deploy;
using ImageForge.Imaging.Deploy.Arrivals;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.FileSystems;
using ImageForge.Imaging.Manifests;
using ImageForge.Imaging.Tests.Doubles;
using ImageForge.Imaging.Tests.Fuzzing;
using Xunit.Abstractions;

namespace ImageForge.Imaging.Tests.Deploy.Arrivals;

/// <summary>What a disk sees of a stream: long writes in nearly its own order, and never a byte that was not verified.</summary>
public sealed class ArrivalWritesTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(0, 1.0)]
    [InlineData(24, 1.1)]
    public async Task Neighbours_are_written_together_as_long_as_they_come_near_each_other(int disorder, double factor)
    {
        var image = SyntheticImage.Make(new Random(1), scale: 4);
        using var target = new FailingDevice(DeployEngineTests.Filled(image.Source.SizeBytes, 512, 0));
        await DeployEngineTests.DeployAsync(image, target, new DeployOptions(Compare: CompareWith.ResumedDisk));
        var ordinary = target.Writes;
        using var arriving = new FailingDevice(DeployEngineTests.Filled(image.Source.SizeBytes, 512, 0));
        await ArrivalDeployTests.DeployAsync(image, arriving, new ShuffledStream(image.Store, new Random(2)) { Disorder = disorder }, new DeployOptions(Compare: CompareWith.ResumedDisk));
        // Spans of a stream lie at fixed places, those of the pipeline begin anywhere: a few writes more at the edges of used runs.
        Assert.InRange(arriving.Writes, ordinary / 2, (ordinary * factor * 1.1) + 4);
    }

    [Fact]
    public async Task Scattered_arrivals_use_no_more_buffers_and_lose_nothing()
    {
        var image = SyntheticImage.Make(new Random(3), scale: 4);
        using var target = DeployEngineTests.Filled(image.Source.SizeBytes, 512, 0);
        var stream = new ShuffledStream(image.Store, new Random(3));
        await ArrivalDeployTests.DeployAsync(image, target, stream, source: new NoSource());
        ArrivalDeployTests.AssertComplete(image, target);
        Assert.True(stream.Asked > 200, "all spans fit the buffers: the test shows nothing");
    }

    [Fact]
    public async Task A_chunk_with_more_places_than_there_are_buffers_reaches_them_all()
    {
        const int Chunks = 3000, Size = 64 << 10;
        var plain = new byte[Size];
        new Random(4).NextBytes(plain);
        var other = plain.AsSpan().ToArray();
        other[0]++;
        var ids = new List<byte>();
        for (var i = 0; i < Chunks; i++)
            ids.AddRange(ChunkId.Of(i % 100 == 50 ? other : plain).ToArray());
        var runs = new ChunkRuns.Builder();
        runs.Add(RunKind.Data, Chunks);
        var header = new VolumeHeader(new Partition(1, 0, (long)Chunks * Size, "type", null, null, 0), FileSystemKind.Unknown, null, null, null, 4096, Size);
        var manifest = new Manifest(header.Partition.Length, 512, null, PartitionScheme.None, null, [], [new ManifestVolume(header, runs.Build(), default, ids.ToArray())]);
        var store = new MemoryChunkStore();
        store.Frames[ChunkId.Of(plain)] = SyntheticImage.Frame(plain);
        store.Frames[ChunkId.Of(other)] = SyntheticImage.Frame(other);
        using var target = new MemoryDisk(manifest.DiskSizeBytes);
        var plan = DeployPlanner.Plan(manifest, ManifestHash.Of(ManifestWriter.Write(manifest)), target.SizeBytes, 512, null).Plan!;
        var stream = new ShuffledStream(store, new Random(5));
        var engine = new DeployEngine(target, new NoSource(), plan, new DeployOptions()) { Stream = new ChunkStream(new ChunkNumbers(new ImageDisks([new ImageDisk(null, "", manifest)])), stream) };
        await engine.RunAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(2, stream.Asked);
        Assert.Equal(manifest.UsedBytes, engine.Progress.BytesWritten);
        Assert.Equal(other, SyntheticImage.Read(target, 2950L * Size, Size));
    }

    [Fact]
    public async Task Whatever_comes_in_nothing_but_the_image_reaches_the_disk()
    {
        var seed = int.Parse(Environment.GetEnvironmentVariable("IMAGEFORGE_FUZZ_SEED") ?? Random.Shared.Next(1 << 30).ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
        output.WriteLine($"IMAGEFORGE_FUZZ_SEED={seed}");
        for (var run = 0; run < 12 * Fuzzer.Factor; run++, seed++)
        {
            var random = new Random(seed);
            var image = SyntheticImage.Make(random, scheme: PartitionScheme.Gpt);
            using var target = DeployEngineTests.Filled(image.Source.SizeBytes, 512, 0xE5);
            var numbers = ArrivalDeployTests.Numbers(image);
            var stream = new HostileStream(image.Store, random);
            // The rest cannot be had, so the disk stays as the stream left it.
            await Assert.ThrowsAsync<InvalidOperationException>(() => ArrivalDeployTests.DeployAsync(image, target, stream, new DeployOptions(ReadBack: false), new NoSource()));
            foreach (var volume in image.Manifest.Volumes)
                foreach (var chunk in volume.Chunks().Where(c => c.Kind == ChunkKind.Data && c.VolumeOffset >= 64 << 10))
                {
                    var offset = volume.Header.Partition.Offset + chunk.VolumeOffset;
                    var actual = SyntheticImage.Read(target, offset, chunk.Length);
                    if (!actual.AsSpan().ContainsAnyExcept((byte)0xE5, (byte)0))
                        continue;
                    Assert.True(SpanOnDisk.IsRight(volume, chunk, actual, default), $"seed {seed}: volume {volume.Header.Partition.Number}, chunk {chunk.Index} is neither old nor right");
                    Assert.True(numbers.TryGetNumber(chunk.Id, out var number) && !stream.Chunks!.Lacks(number));
                }
            Assert.True(stream.Right > 20, "hardly a frame was right");
        }
    }

    /// <summary>Frames of every kind of wrongness, for chunks that exist and for such that do not.</summary>
    private sealed class HostileStream(MemoryChunkStore store, Random random) : IChunkArrivals
    {
        public ArrivingChunks? Chunks { get; private set; }

        public int Right { get; private set; }

        public async Task RunAsync(ArrivingChunks chunks, CancellationToken cancel)
        {
            Chunks = chunks;
            for (var i = 0; i < 2 * chunks.Numbers.Count; i++)
            {
                var number = random.Next(-1, chunks.Numbers.Count + 2);
                var frame = store.Frames[chunks.Numbers[random.Next(chunks.Numbers.Count)]].AsSpan().ToArray();
                var kind = random.Next(4);
                if (kind > 1 && chunks.Lacks(number))
                {
                    frame = store.Frames[chunks.Numbers[number]].AsSpan().ToArray();
                    Right++;
                }
                if (kind is 1 or 3)
                    for (var flips = random.Next(1, 4); flips > 0; flips--)
                        frame[random.Next(4) == 0 ? random.Next(Math.Min(16, frame.Length)) : random.Next(frame.Length)] ^= (byte)(1 << random.Next(8));
                var length = random.Next(8) == 0 ? random.Next(frame.Length + 1) : frame.Length;
                await chunks.TakeAsync(number, frame.AsMemory(0, length), cancel);
                // The buffer is the caller's again.
                random.NextBytes(frame);
            }
        }
    }
}
