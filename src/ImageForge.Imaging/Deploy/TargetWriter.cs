using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Manifests;
using ImageForge.Imaging.Pipelines;

namespace ImageForge.Imaging.Deploy;

/// <summary>
/// Puts verified spans on one disk: what belongs to the heads of volumes is held back, the rest is written, marked, counted and flushed
/// at the deploy's pace. Thread-safe; one for all ways in which chunks come.
/// </summary>
internal sealed class TargetWriter(IBlockDevice target, WritePlan plan, DeployOptions options, DeployState state, DeployProgress progress)
{
    private readonly SpanWriter _writer = new(target, plan);
    private readonly Lock _flushing = new();
    private long _sinceFlush;

    /// <param name="skip">Chunks that are on the disk already, or have not come yet; null: none.</param>
    /// <param name="plain">The span's chunks with unused blocks zeroed, undefined where they are skipped; empty if it holds only zeros.</param>
    public void Put(ChunkSpan span, bool[]? skip, ReadOnlySpan<byte> plain, StageTimes times, CancellationToken cancel)
    {
        // A head of zeros is held back too: without a partition table the resume record lies in it.
        for (var i = 0; i < span.Chunks.Count; i++)
            if (span.Chunks[i].Kind == ChunkKind.Zero)
                state.HoldBack(span.VolumeIndex, span.Chunks[i], default);
            else if (skip is null || !skip[i])
                state.HoldBack(span.VolumeIndex, span.Chunks[i], plain.Slice(span.At(i), span.Chunks[i].Length));
        var started = times.Now;
        _writer.Write(span, skip, plain, cancel);
        times.Add(StageTimes.Stage.Disk, started);
        long written = 0;
        for (var i = 0; i < span.Chunks.Count; i++)
        {
            if (skip is not null && skip[i])
                continue;
            state.MarkWritten(span.VolumeIndex, span.Chunks[i].Index);
            progress.AddWritten(span.Volume.UsedBytesOf(span.Chunks[i]));
            written += span.Chunks[i].Length;
        }
        FlushAfter(written);
    }

    private void FlushAfter(long written)
    {
        lock (_flushing)
        {
            _sinceFlush += written;
            if (_sinceFlush < options.FlushEveryBytes)
                return;
            _sinceFlush = 0;
        }
        target.Flush();
    }
}
