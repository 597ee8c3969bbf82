using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Pipelines;

namespace ImageForge.Imaging.Deploy;

/// <summary>Reads every chunk that was written back from the device (which opens with <c>O_DIRECT</c>, so not from the page cache) and compares its hash.</summary>
internal sealed class ReadBack(IBlockDevice target, WritePlan plan, DeployOptions options, DeployState state, DeployProgress progress)
{
    public async Task RunAsync(CancellationToken cancel)
    {
        using var stages = new StageGroup(cancel);
        using var written = ChunkSpan.Of(plan.Manifest, (v, chunk) => state.IsWritten(v, chunk.Index)).GetEnumerator();
        var times = progress.Times(null);
        times.SetWorkers(options.ReadsInFlight, Math.Min(Environment.ProcessorCount, options.ReadsInFlight), 1);
        // Several: some read while others hash, and the reads stay nearly in order.
        stages.Threads("read back", options.ReadsInFlight, () => Read(written, times, stages.Token), () => { });
        await stages.CompleteAsync();
    }

    private void Read(IEnumerator<ChunkSpan> written, StageTimes times, CancellationToken cancel)
    {
        var disk = new SpanOnDisk(target);
        using var buffer = AlignedBuffer.Rent(ChunkSpan.BufferLength(plan.Manifest));
        while (true)
        {
            cancel.ThrowIfCancellationRequested();
            ChunkSpan span;
            lock (written)
            {
                if (!written.MoveNext())
                    return;
                span = written.Current;
            }
            var started = times.Now;
            disk.Read(span, buffer.Span);
            started = times.Add(StageTimes.Stage.Disk, started);
            for (var i = 0; i < span.Chunks.Count; i++)
            {
                var chunk = span.Chunks[i];
                if (!SpanOnDisk.IsRight(span.Volume, chunk, buffer.Span.Slice(span.At(i), chunk.Length), state.HeldBack(span.VolumeIndex, chunk)))
                    throw DeployFailures.ReadBack(target.Name, span.Volume.Header, chunk.VolumeOffset);
                progress.AddVerified(span.Volume.UsedBytesOf(chunk));
            }
            times.Add(StageTimes.Stage.Cpu, started);
        }
    }
}
