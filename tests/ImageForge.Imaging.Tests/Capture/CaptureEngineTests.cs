using ImageForge.Contracts;
using ImageForge.Imaging.Capture;
using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Deploy;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Manifests;
using ImageForge.Imaging.Tests.Doubles;
using ImageForge.Imaging.Tests.Manifests;

namespace ImageForge.Imaging.Tests.Capture;

public sealed class CaptureEngineTests
{
    private static readonly CaptureOptions s_options = new(64 << 10, Level: 1);

    /// <summary>A disk with one partition of no known file system: every block counts.</summary>
    private static MemoryDisk Disk(Random random, int mebibytes = 8, bool compressible = true)
    {
        var disk = new MemoryDisk((mebibytes + 2L) << 20);
        TestGpt.WriteTo(disk, (1 << 20, (long)mebibytes << 20));
        var page = new byte[64 << 10];
        for (var i = 0; i < mebibytes * 16; i++)
        {
            random.NextBytes(page);
            if (compressible)
                page.AsSpan(page.Length / 2).Clear();
            disk.Write((1 << 20) + i * page.Length, page);
        }
        return disk;
    }

    private static ReadOnlyDisk ReadOnly(IBlockDevice disk) => new(disk);

    [Fact]
    public async Task Sends_nothing_twice_however_often_it_is_killed()
    {
        var random = new Random(1);
        using var disk = Disk(random);
        var store = new MemoryChunkStore();
        var kills = 0;
        while (true)
        {
            var left = random.Next(1, 20);
            using var stop = new CancellationTokenSource();
            store.BeforeStore = _ =>
            {
                if (Interlocked.Decrement(ref left) <= 0)
                    stop.Cancel();
            };
            try
            {
                var result = await new CaptureEngine(ReadOnly(disk), store, s_options).RunAsync(stop.Token);
                Assert.All(result.Manifest.DataChunks(), c => Assert.True(store.Frames.ContainsKey(c.Id)));
                break;
            }
            catch (OperationCanceledException)
            {
                Assert.True(++kills < 200);
            }
        }
        Assert.True(kills >= 10, $"only {kills} kills");
        Assert.Equal(store.Frames.Count, store.Stored);
        Assert.Equal(8 * 16, store.Stored);
    }

    [Fact]
    public async Task Equal_chunks_are_sent_once_and_zeros_never()
    {
        using var disk = new MemoryDisk(18 << 20);
        TestGpt.WriteTo(disk, (1 << 20, 16 << 20));
        var page = new byte[64 << 10];
        new Random(2).NextBytes(page);
        for (var i = 0; i < 128; i++)
            disk.Write((1 << 20) + i * page.Length, page);
        var store = new MemoryChunkStore();
        var engine = new CaptureEngine(ReadOnly(disk), store, s_options);
        var result = await engine.RunAsync(CancellationToken.None);
        Assert.Equal(1, store.Stored);
        Assert.Equal((1, 127), (engine.Progress.ChunksSent, engine.Progress.ChunksHeld));
        Assert.Equal(128, result.Manifest.Volumes[0].Chunks().Count(c => c.Kind == ChunkKind.Zero));
        Assert.Equal(16 << 20, engine.Progress.BytesDone);
    }

    [Fact]
    public async Task A_writable_source_is_refused()
    {
        using var disk = Disk(new Random(3), 1);
        await Assert.ThrowsAsync<InvalidOperationException>(() => new CaptureEngine(disk, new MemoryChunkStore(), s_options).RunAsync(CancellationToken.None));
    }

    [Fact]
    public async Task A_half_written_disk_is_not_captured()
    {
        using var disk = new MemoryDisk(4 << 20);
        var sector = new byte[512];
        new ResumeRecord(new string('0', 64), 7, disk.SizeBytes, 512).WriteTo(sector);
        disk.Write(512, sector);
        var failure = await Assert.ThrowsAsync<FailureException>(() => new CaptureEngine(ReadOnly(disk), new MemoryChunkStore(), s_options).RunAsync(CancellationToken.None));
        Assert.Equal(("deployUnfinished", Fault.Disk), (failure.Failure.Code, failure.Failure.Fault));
    }

    [Theory]
    [InlineData(1024)]
    [InlineData(2048)]
    public async Task A_disk_with_sectors_no_image_can_hold_is_refused_before_it_is_read(int sectorSize)
    {
        using var disk = new MemoryDisk(4 << 20, sectorSize);
        var failure = await Assert.ThrowsAsync<FailureException>(() => new CaptureEngine(ReadOnly(disk), new MemoryChunkStore(), s_options).RunAsync(CancellationToken.None));
        Assert.Equal(("sectorSizeUnsupported", Fault.Disk), (failure.Failure.Code, failure.Failure.Fault));
        Assert.Contains($"{sectorSize} bytes", failure.Failure.Sentence, StringComparison.Ordinal);
    }

    /// <summary>Empty disks: with a chunk size of 64 KiB the ids just fill a manifest, or exceed it, or the chunks cannot even be counted.</summary>
    [Theory]
    [InlineData(1L << 40, "MiB and an image holds 512")]
    [InlineData((1L << 40) + 65536, "16,777,217 chunks with content")]
    [InlineData((1L << 44) + 65536, "268,435,457 chunks")]
    [InlineData(1L << 48, "4,294,967,296 chunks")]
    public async Task More_chunks_than_a_manifest_holds_are_refused_before_any_is_read(long size, string sentence)
    {
        using var disk = new MemoryDisk(size);
        var store = new MemoryChunkStore();
        var engine = new CaptureEngine(ReadOnly(disk), store, s_options);
        var failure = await Assert.ThrowsAsync<FailureException>(() => engine.RunAsync(CancellationToken.None));
        Assert.Equal("tooManyChunks", failure.Failure.Code);
        Assert.Contains(sentence, failure.Failure.Sentence, StringComparison.Ordinal);
        Assert.Contains("larger chunk size", failure.Failure.Cure, StringComparison.Ordinal);
        Assert.Equal((0, 0), (engine.Progress.BytesDone, store.Stored));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_disk_without_any_partition_is_captured_and_deployed(bool emptyTable)
    {
        using var disk = new MemoryDisk(4 << 20);
        if (emptyTable)
            TestGpt.WriteTo(disk);
        var store = new MemoryChunkStore();
        var result = await new CaptureEngine(ReadOnly(disk), store, s_options).RunAsync(CancellationToken.None);
        Assert.Equal(0, store.Stored);
        using var target = new MemoryDisk(4 << 20);
        for (var at = 0; at < 4 << 20; at += 512)
            target.Write(at, Enumerable.Repeat((byte)0xFF, 512).ToArray());
        var plan = DeployPlanner.Plan(ManifestTests.Parse(result.ManifestBytes), result.ManifestHash, target.SizeBytes, 512, null).Plan!;
        await new DeployEngine(target, store, plan, new DeployOptions()).RunAsync(CancellationToken.None);
        Assert.Null(DiskCheck.Difference(result.Manifest, disk, target));
        Assert.Equal(SyntheticImage.Read(disk, 0, 1024), SyntheticImage.Read(target, 0, 1024));
    }

    [Fact]
    public async Task An_unreadable_sector_is_named_by_its_number()
    {
        using var disk = Disk(new Random(4));
        const long Bad = (5 << 20) + 7 * 512;
        using var failing = new FailingDevice(ReadOnly(disk)) { ReadRule = (offset, length) => offset <= Bad && Bad < offset + length ? 5 : 0 };
        var failure = await Assert.ThrowsAsync<FailureException>(() => new CaptureEngine(failing, new MemoryChunkStore(), s_options).RunAsync(CancellationToken.None));
        Assert.Equal(("diskMediumError", Fault.Disk), (failure.Failure.Code, failure.Failure.Fault));
        Assert.Contains($"Sector {Bad / 512} of /dev/failing (volume 1, byte {Bad - (1 << 20)})", failure.Failure.Sentence, StringComparison.Ordinal);
        Assert.NotEmpty(failure.Failure.Cure);
    }

    [Fact]
    public async Task An_unreadable_sector_that_no_file_uses_does_no_harm()
    {
        using var real = new RealDisk();
        using var source = ImageFileDevice.OpenForReading(real.Image);
        var expected = await new CaptureEngine(source, new MemoryChunkStore(), new CaptureOptions()).RunAsync(CancellationToken.None);
        var volume = expected.Manifest.Volumes[1];
        var chunk = volume.Chunks().First(c => c.Kind == ChunkKind.Data && c.IsPartlyUsed && InnerHole(volume, c) > 0);
        var bad = volume.Header.Partition.Offset + chunk.VolumeOffset + InnerHole(volume, chunk);
        var hits = 0;
        using var failing = new FailingDevice(source)
        {
            ReadRule = (offset, length) =>
            {
                if (offset > bad || bad >= offset + length)
                    return 0;
                hits++;
                return 5;
            },
        };
        var result = await new CaptureEngine(failing, new MemoryChunkStore(), new CaptureOptions()).RunAsync(CancellationToken.None);
        Assert.True(hits > 0, "the bad sector was never read");
        Assert.Equal(expected.ManifestHash, result.ManifestHash);
    }

    /// <summary>First byte of an unused block between used ones.</summary>
    private static long InnerHole(ManifestVolume volume, ManifestChunk chunk) =>
        UsedBits.Next(chunk.UsedBits.Span, volume.Header.BlockSize, chunk.Length, 0, out var start, out var length)
        && UsedBits.Next(chunk.UsedBits.Span, volume.Header.BlockSize, chunk.Length, start + length, out _, out _) ? start + length : 0;

    [Fact]
    public async Task A_disk_that_vanishes_is_the_disks_fault()
    {
        using var disk = Disk(new Random(5));
        var reads = 0;
        using var failing = new FailingDevice(ReadOnly(disk)) { ReadRule = (_, _) => Interlocked.Increment(ref reads) > 30 ? 19 : 0 };
        var failure = await Assert.ThrowsAsync<FailureException>(() => new CaptureEngine(failing, new MemoryChunkStore(), s_options).RunAsync(CancellationToken.None));
        Assert.Equal(("diskVanished", Fault.Disk), (failure.Failure.Code, failure.Failure.Fault));
    }

    [Fact]
    public async Task What_the_sink_refuses_with_reaches_the_caller_unchanged()
    {
        using var disk = Disk(new Random(6));
        var full = new Failure("storeFull", Fault.Server, "The image store is full.", "Free space.");
        var store = new MemoryChunkStore { BeforeStore = _ => throw new FailureException(full) };
        var failure = await Assert.ThrowsAsync<FailureException>(() => new CaptureEngine(ReadOnly(disk), store, s_options).RunAsync(CancellationToken.None));
        Assert.Equal(full, failure.Failure);
    }

    [Theory]
    [InlineData(64 << 10)]
    [InlineData(1 << 20)]
    [InlineData(4 << 20)]
    public async Task Incompressible_content_is_stored_and_comes_back(int chunkSize)
    {
        using var disk = Disk(new Random(7), compressible: false);
        var store = new MemoryChunkStore();
        var engine = new CaptureEngine(ReadOnly(disk), store, new CaptureOptions(chunkSize));
        var result = await engine.RunAsync(CancellationToken.None);
        Assert.InRange(engine.Progress.BytesSent, 8 << 20, (8 << 20) * 101L / 100);
        foreach (var (id, length) in result.Manifest.DataChunks())
            Assert.True(ChunkFrame.Verify(id, length, store.Frames[id]));
    }

    [Fact]
    public async Task The_manifest_does_not_depend_on_the_order_in_which_workers_finish()
    {
        using var disk = Disk(new Random(8));
        var hashes = new HashSet<string>();
        for (var i = 1; i <= 6; i++)
            hashes.Add((await new CaptureEngine(ReadOnly(disk), new MemoryChunkStore(), s_options with { Workers = i, SendsInFlight = i }).RunAsync(CancellationToken.None)).ManifestHash);
        Assert.Single(hashes);
    }
}
