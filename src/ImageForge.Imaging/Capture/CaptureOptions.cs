using ImageForge.Contracts;
using ImageForge.Imaging.Chunks;

namespace ImageForge.Imaging.Capture;

/// <param name="ChunkSize">Plain bytes per chunk; <see cref="ChunkSizes.Automatic"/>: chosen by what is on the disk.</param>
/// <param name="Level">zstd level, 1 to 19, for every chunk; null: chosen while the capture runs (<see cref="LowestLevel"/>).</param>
/// <param name="DiskModel">Recorded in the manifest for people.</param>
/// <param name="Workers">Threads that hash, and as many that compress; 0: one per processor, at most 8.</param>
/// <param name="SendsInFlight">Uploads at the same time.</param>
/// <param name="Dirty">What to do with a file system that was not closed cleanly.</param>
/// <param name="AllowReadErrors">True: used sectors that cannot be read become zeros and are listed in the manifest. False: the capture fails, naming them.</param>
public sealed record CaptureOptions(int ChunkSize = ChunkSizes.Automatic, int? Level = null, string? DiskModel = null, int Workers = 0, int SendsInFlight = 4,
    DirtyVolumes Dirty = DirtyVolumes.Whole, bool AllowReadErrors = false)
{
    /// <summary>Limits how long a capture that has failed looks for more bad sectors.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Where an adaptive level begins and how far it falls while the processor is what everything waits for; a local store is always fed at this level.</summary>
    public int LowestLevel { get; init; } = 1;

    /// <summary>How far an adaptive level rises while the network is. Chunks above 256 KiB stop at 6: the tables of a higher level take 12 MB per worker there.</summary>
    public int HighestLevel { get; init; } = 9;

    /// <summary>Reads of the disk at the same time, at least one per worker, at most 8.</summary>
    public int ReadsInFlight { get; init; } = 4;
}

/// <param name="ManifestBytes">The file to hand in last; every chunk it names is with the sink.</param>
/// <param name="ManifestHash">Lower-case hex SHA-256 of <paramref name="ManifestBytes"/>.</param>
public sealed record CaptureResult(byte[] ManifestBytes, string ManifestHash, Manifests.Manifest Manifest);
