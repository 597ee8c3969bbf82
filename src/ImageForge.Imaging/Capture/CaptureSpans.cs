using ImageForge.Imaging.Manifests;

namespace ImageForge.Imaging.Capture;

/// <summary>Neighbouring chunks with something to read, read at once.</summary>
/// <param name="FirstCandidate">The first chunk's place among those with used blocks in its volume.</param>
internal readonly record struct CaptureSpan(ManifestVolumeBuilder Volume, int FirstChunk, int FirstCandidate, int Count)
{
    /// <summary>Bytes of one read: where disks and system calls stop gaining from larger ones. A larger chunk is a span of its own.</summary>
    public const int Bytes = 1 << 20;

    public long DiskOffset => Volume.Header.Partition.Offset + (long)FirstChunk * Volume.Header.ChunkSize;

    /// <summary>Every span of a disk in disk order.</summary>
    public static IEnumerable<CaptureSpan> Of(IEnumerable<ManifestVolumeBuilder> volumes)
    {
        foreach (var volume in volumes)
        {
            var most = Math.Max(1, Bytes / volume.Header.ChunkSize);
            var (candidate, first, firstCandidate, count) = (0, 0, 0, 0);
            for (var chunk = 0; chunk < volume.Header.ChunkCount; chunk++)
            {
                var used = volume.UsageOf(chunk) != ChunkUsage.None;
                // Used, but wholly skipped: zero in the manifest, as every candidate that gets no id.
                var wanted = used && volume.ReadBytesOf(chunk) > 0;
                if (count > 0 && (!wanted || count == most))
                {
                    yield return new CaptureSpan(volume, first, firstCandidate, count);
                    count = 0;
                }
                if (wanted && count++ == 0)
                    (first, firstCandidate) = (chunk, candidate);
                candidate += used ? 1 : 0;
            }
            if (count > 0)
                yield return new CaptureSpan(volume, first, firstCandidate, count);
        }
    }
}
