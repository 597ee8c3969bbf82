using System.Diagnostics;
using System.Runtime.InteropServices;
using ImageForge.Imaging.Capture;
using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Deploy;
using ImageForge.Imaging.Deploy.Arrivals;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Manifests;
using ImageForge.Imaging.Tests.Doubles;
using Xunit.Abstractions;

namespace ImageForge.Imaging.Tests.Pipelines;

[CollectionDefinition("alone", DisableParallelization = true)]
public sealed class Alone;

/// <summary>A fast disk and a slow network, and the other way round: the buffers in between must not grow.</summary>
[Collection("alone")]
public sealed class MemoryBoundTests(ITestOutputHelper output)
{
    private const long Content = 256 << 20;
    private const int Limit = 64 << 20;

    /// <summary>Less than over HTTP: a receiver needs room for the blocks it puts together.</summary>
    private const int StreamLimit = 48 << 20;

    [Theory]
    [InlineData(64 << 10)]
    [InlineData(1 << 20)]
    [InlineData(4 << 20)]
    public async Task Capture_and_deploy_stay_within_64_MiB(int chunkSize)
    {
        using var disk = new NoiseDisk(Content + (2 << 20));
        var sink = new SlowSink(TimeSpan.FromMilliseconds(chunkSize >> 16));
        CaptureResult? captured = null;
        var capturePeak = await PeakAsync(async () => captured = await new CaptureEngine(disk, sink, new CaptureOptions(chunkSize, Level: 1)).RunAsync(CancellationToken.None));
        output.WriteLine($"capture with chunks of {chunkSize >> 10} KiB: peak {capturePeak >> 20} MiB");
        Assert.InRange(capturePeak, 8 << 20, Limit);
        Assert.Equal(Content / chunkSize, sink.Stored);

        using var target = new SlowDisk(disk.SizeBytes, TimeSpan.FromMilliseconds(chunkSize >> 18));
        var plan = DeployPlanner.Plan(captured!.Manifest, captured.ManifestHash, target.SizeBytes, 512, null).Plan!;
        var source = new NoiseSource(disk, captured.Manifest);
        var deployPeak = await PeakAsync(() => new DeployEngine(target, source, plan, new DeployOptions(ReadBack: false)).RunAsync(CancellationToken.None));
        output.WriteLine($"deploy: peak {deployPeak >> 20} MiB");
        Assert.InRange(deployPeak, 8 << 20, Limit);
        Assert.True(target.Written >= Content);

        using var fed = new SlowDisk(disk.SizeBytes, TimeSpan.FromMilliseconds(chunkSize >> 18));
        var image = new ImageDisks([new ImageDisk(null, captured.ManifestHash, captured.Manifest)]);
        var streamPeak = await PeakAsync(() => new DeployEngine(fed, source, plan, new DeployOptions(ReadBack: false))
        {
            Stream = new ChunkStream(new ChunkNumbers(image), new FastStream(source)),
        }.RunAsync(CancellationToken.None));
        output.WriteLine($"deploy from a stream: peak {streamPeak >> 20} MiB");
        Assert.InRange(streamPeak, 8 << 20, StreamLimit);
        Assert.True(fed.Written >= Content);
    }

    /// <summary>Highest number of managed bytes over what was there before; buffers are managed, zstd's contexts add about 2 MiB a worker.</summary>
    private static async Task<long> PeakAsync(Func<Task> work)
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        // What lies idle in the pool of buffers, of whatever size, is not in use.
        static long InUse() => GC.GetTotalMemory(forceFullCollection: true) - AlignedBuffer.PooledBytes;
        var before = InUse();
        long peak = 0;
        // A thread of its own: a timer waits for the thread pool, which the engine keeps busy, and may never look.
        var done = 0;
        var watch = new Thread(() =>
        {
            while (Volatile.Read(ref done) == 0)
                peak = Math.Max(peak, InUse() - before);
        })
        { IsBackground = true };
        watch.Start();
        try
        {
            await work();
        }
        finally
        {
            Volatile.Write(ref done, 1);
            watch.Join();
        }
        return peak;
    }

    /// <summary>Every chunk is different, none is kept in memory.</summary>
    private sealed class NoiseDisk : IBlockDevice
    {
        private readonly MemoryDisk _tables;

        public NoiseDisk(long size)
        {
            _tables = new MemoryDisk(size);
            TestGpt.WriteTo(_tables, (1 << 20, Content));
        }

        public string Name => "noise";
        public long SizeBytes => _tables.SizeBytes;
        public int SectorSize => 512;
        public bool IsReadOnly => true;

        public void Read(long offset, Span<byte> buffer)
        {
            _tables.Read(offset, buffer);
            if (offset is < 1 << 20 or >= (1 << 20) + Content)
                return;
            var words = MemoryMarshal.Cast<byte, ulong>(buffer);
            for (var i = 0; i < words.Length; i++)
                words[i] = ((ulong)(offset + 8 * i) + 1) * 0x9E3779B97F4A7C15;
        }

        public void Write(long offset, ReadOnlySpan<byte> data) => throw new UnreachableException();
        public void WriteZeros(long offset, long length) => throw new UnreachableException();
        public void Flush() => throw new UnreachableException();
        public void Dispose() => _tables.Dispose();
    }

    private sealed class SlowSink(TimeSpan delay) : IChunkSink
    {
        private int _stored;

        public int Stored => _stored;

        public ValueTask<bool[]> MissingAsync(IReadOnlyList<ChunkId> ids, CancellationToken cancel) => ValueTask.FromResult(ids.Select(_ => true).ToArray());

        public async ValueTask StoreAsync(ChunkId id, int plainLength, ReadOnlyMemory<byte> frame, CancellationToken cancel)
        {
            await Task.Delay(delay, cancel);
            Interlocked.Increment(ref _stored);
        }
    }

    /// <summary>Makes frames when they are asked for.</summary>
    private sealed class NoiseSource(NoiseDisk disk, Manifest manifest) : IChunkSource
    {
        private readonly Dictionary<ChunkId, (long, int)> _places = manifest.Volumes[0].Chunks().ToDictionary(c => c.Id, c => ((1 << 20) + c.VolumeOffset, c.Length));

        public ValueTask<int> ReadFrameAsync(ChunkId id, Memory<byte> frame, CancellationToken cancel)
        {
            var (offset, length) = _places[id];
            using var plain = AlignedBuffer.Rent(length);
            disk.Read(offset, plain.Span);
            using var zstd = new ZstdCompressor();
            return ValueTask.FromResult(zstd.Compress(plain.Span, frame.Span, 1));
        }
    }

    /// <summary>Brings every chunk as fast as it is taken, the later ones of each hundred first.</summary>
    private sealed class FastStream(NoiseSource source) : IChunkArrivals
    {
        public async Task RunAsync(ArrivingChunks chunks, CancellationToken cancel)
        {
            var frame = new byte[ChunkFrame.MaxLength(chunks.Numbers.PlainLength(0))];
            for (var n = 0; n < chunks.Numbers.Count; n++)
            {
                var number = (n / 100 * 100) + Math.Min(99, chunks.Numbers.Count - 1 - (n / 100 * 100)) - (n % 100);
                var length = await source.ReadFrameAsync(chunks.Numbers[number], frame, cancel);
                await chunks.TakeAsync(number, frame.AsMemory(0, length), cancel);
            }
        }
    }

    private sealed class SlowDisk(long size, TimeSpan delay) : IBlockDevice
    {
        public long Written { get; private set; }

        public string Name => "slow";
        public long SizeBytes => size;
        public int SectorSize => 512;
        public bool IsReadOnly => false;

        /// <summary>Blank: only the samples are read, which decide that it is not compared.</summary>
        public void Read(long offset, Span<byte> buffer) => buffer.Clear();

        public void Write(long offset, ReadOnlySpan<byte> data)
        {
            Task.Delay(delay).Wait();
            Written += data.Length;
        }

        public void WriteZeros(long offset, long length) => Written += length;
        public void Flush() { }
        public void Dispose() { }
    }
}
