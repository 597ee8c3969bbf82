using System.Globalization;
using ImageForge.Contracts;
using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Disks;

namespace ImageForge.Imaging.Manifests;

/// <summary>
/// Whether a disk's chunks have room in a manifest (README.md, limits). Asked before a capture reads anything: it would otherwise
/// fail after hours of sending, when the manifest is written.
/// </summary>
internal static class ManifestRoom
{
    /// <summary>Names, GUIDs and numbers of one volume at their longest.</summary>
    private const int VolumeTextBytes = 8 * ManifestFormat.MaxTextBytes;

    /// <summary>Kind and LEB128 count of a run.</summary>
    private const int RunBytes = 6;

    /// <exception cref="FailureException"><c>tooManyChunks</c>.</exception>
    public static void CheckChunks(Partition partition, int chunkSize) =>
        Check(partition, (partition.Length - 1) / chunkSize + 1, "chunks", ManifestFormat.MaxChunksPerVolume, chunkSize);

    /// <param name="candidates">Chunks of the volume that hold content.</param>
    /// <exception cref="FailureException"><c>tooManyChunks</c>: their ids alone are larger than a manifest.</exception>
    public static void CheckCandidates(Partition partition, long candidates, int chunkSize) =>
        Check(partition, candidates, "chunks with content", ManifestFormat.MaxBodyBytes / ChunkId.Size, chunkSize);

    private static void Check(Partition partition, long count, string what, int most, int chunkSize)
    {
        if (count > most)
            throw TooMany(string.Create(CultureInfo.InvariantCulture, $"Volume {partition.Number} has {count:N0} {what} of {chunkSize >> 10} KiB and an image holds {most:N0}"), chunkSize);
    }

    /// <exception cref="FailureException"><c>tooManyChunks</c>: the body could become larger than the format allows.</exception>
    public static void CheckBody(DiskLayout layout, IReadOnlyList<ManifestRegion> regions, IReadOnlyList<ManifestVolumeBuilder> volumes, int chunkSize)
    {
        var bytes = 4L * ManifestFormat.MaxTextBytes + ManifestFormat.MaxDamagedRanges * ManifestFormat.DamagedRangeBytes + (layout.Gpt is { } gpt ? gpt.Entries.Length + gpt.BootSector.Length : 0);
        bytes += regions.Sum(r => 16L + r.Bytes.Length);
        bytes += volumes.Sum(MostBytes);
        if (bytes > ManifestFormat.MaxBodyBytes)
            throw TooMany(string.Create(CultureInfo.InvariantCulture, $"The list of chunks of {chunkSize >> 10} KiB may take {bytes >> 20:N0} MiB and an image holds {ManifestFormat.MaxBodyBytes >> 20}"), chunkSize);
    }

    /// <summary>If every candidate turns out to be data: a zero chunk saves its id, which is more than the two runs it may add.</summary>
    private static long MostBytes(ManifestVolumeBuilder volume) =>
        VolumeTextBytes + volume.CandidateCount * (long)ChunkId.Size + volume.MapBytes + volume.UsageRuns * RunBytes;

    private static FailureException TooMany(string what, int chunkSize) => new(
        "tooManyChunks", Fault.Image, $"{what}.",
        chunkSize < ChunkSizes.Largest
            ? $"Capture with a larger chunk size (up to {ChunkSizes.Largest >> 20} MiB)."
            : "Shrink the volumes: this is the largest chunk size.");
}
