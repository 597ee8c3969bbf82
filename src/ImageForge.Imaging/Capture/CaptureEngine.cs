using ImageForge.Contracts;
using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Disks;

namespace ImageForge.Imaging.Capture;

/// <param name="ChunkSize">Plain bytes per chunk, see <see cref="ChunkSizes"/>.</param>
/// <param name="Level">zstd level, 1 to 19.</param>
/// <param name="DiskModel">Recorded in the manifest for people.</param>
/// <param name="Workers">Threads that hash and compress; 0: one per processor.</param>
/// <param name="SendsInFlight">Uploads at the same time.</param>
public sealed record CaptureOptions(int ChunkSize = ChunkSizes.Default, int Level = 3, string? DiskModel = null, int Workers = 0, int SendsInFlight = 4);

/// <summary>Counters of a running capture; read them from any thread as often as you like.</summary>
public sealed class CaptureProgress
{
    private long _done, _total, _sent, _read, _chunksSent, _chunksHeld;

    /// <summary>Bytes of used content that are hashed and known to be with the sink.</summary>
    public long BytesDone => Interlocked.Read(ref _done);
    /// <summary>Bytes of used content on the disk; 0 until the maps are read.</summary>
    public long BytesTotal => Interlocked.Read(ref _total);
    /// <summary>Bytes of frames handed to the sink.</summary>
    public long BytesSent => Interlocked.Read(ref _sent);
    public long BytesRead => Interlocked.Read(ref _read);
    public long ChunksSent => Interlocked.Read(ref _chunksSent);
    /// <summary>Data chunks the sink already held.</summary>
    public long ChunksHeld => Interlocked.Read(ref _chunksHeld);

    internal void SetTotal(long bytes) => Interlocked.Exchange(ref _total, bytes);
    internal void AddDone(long bytes) => Interlocked.Add(ref _done, bytes);
    internal void AddRead(long bytes) => Interlocked.Add(ref _read, bytes);
    internal void AddHeld() => Interlocked.Increment(ref _chunksHeld);
    internal void AddSent(long bytes)
    {
        Interlocked.Add(ref _sent, bytes);
        Interlocked.Increment(ref _chunksSent);
    }
}

/// <param name="ManifestBytes">The file to hand in last; every chunk it names is with the sink.</param>
/// <param name="ManifestHash">Lower-case hex SHA-256 of <paramref name="ManifestBytes"/>.</param>
public sealed record CaptureResult(byte[] ManifestBytes, string ManifestHash, Manifests.Manifest Manifest);

/// <summary>Reads a disk (never writes it) and sends what the sink lacks. One instance per run.</summary>
/// <param name="source">Opened read-only; a writable device is refused.</param>
public sealed class CaptureEngine(IBlockDevice source, IChunkSink sink, CaptureOptions options)
{
    public CaptureProgress Progress { get; } = new();

    /// <exception cref="FailureException">The disk cannot be read, or what the sink threw.</exception>
    public Task<CaptureResult> RunAsync(CancellationToken cancel) => throw new NotImplementedException($"{source}{sink}{options}");
}
