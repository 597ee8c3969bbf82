using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Manifests;
using ImageForge.Imaging.Pipelines;

namespace ImageForge.Imaging.Deploy;

/// <summary>Which chunks of the image the disk holds already, and whether looking is worth it. Thread-safe.</summary>
internal sealed class SpanComparison(IBlockDevice target, WritePlan plan, DeployOptions options, DeployProgress progress, StageTimes times)
{
    private readonly ComparisonPace _pace = new();
    private readonly SpanOnDisk _disk = new(target);

    /// <summary>One answer per volume; may read samples.</summary>
    public bool[] VolumesWorthIt(CancellationToken cancel) =>
        plan.Resuming || options.Compare == CompareWith.AnyDisk ? Enumerable.Repeat(true, plan.Manifest.Volumes.Count).ToArray()
        : options.Compare == CompareWith.Auto ? new TargetSampling(target, plan, progress).WorthComparing(cancel)
        : new bool[plan.Manifest.Volumes.Count];

    public bool WantsNext() => _pace.WantsNext();

    /// <summary>Reads a span into <paramref name="buffer"/>: one answer per chunk; null if it cannot be read.</summary>
    public bool[]? Kept(ChunkSpan span, Span<byte> buffer)
    {
        bool[]? kept = null;
        var started = times.Now;
        try
        {
            progress.AddCompared(_disk.Read(span, buffer));
            started = times.Add(StageTimes.Stage.Disk, started);
            kept = new bool[span.Chunks.Count];
            for (var i = 0; i < kept.Length; i++)
                kept[i] = Keeps(span, i, buffer);
            times.Add(StageTimes.Stage.Cpu, started);
        }
        catch (DiskException e) when (e.Trouble == DiskTrouble.MediumError)
        {
            // A sector that cannot be read may well take a write: the disk remaps it then.
        }
        _pace.Tell(kept is not null && Array.IndexOf(kept, true) >= 0, span.Length);
        return kept;
    }

    private bool Keeps(ChunkSpan span, int index, Span<byte> buffer)
    {
        var (volume, chunk) = (span.Volume, span.Chunks[index]);
        // The head of a volume is never on the disk yet, so its chunks are always wanted.
        if (chunk.VolumeOffset < plan.HeadBytes(volume.Header) && chunk.Kind == ChunkKind.Data)
            return false;
        var right = SpanOnDisk.IsRight(volume, chunk, buffer.Slice(span.At(index), chunk.Length), default);
        if (right)
            progress.AddKept(volume.UsedBytesOf(chunk));
        return right;
    }
}
