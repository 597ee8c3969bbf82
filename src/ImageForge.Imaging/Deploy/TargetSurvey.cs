using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Pipelines;

namespace ImageForge.Imaging.Deploy;

/// <summary>Marks what the disk holds already, so that a stream is asked only for what it lacks. Writes nothing.</summary>
internal sealed class TargetSurvey(IBlockDevice target, WritePlan plan, DeployOptions options, DeployState state, DeployProgress progress)
{
    public async Task RunAsync(CancellationToken cancel)
    {
        using var stages = new StageGroup(cancel);
        var times = progress.Times(null);
        times.SetWorkers(options.ReadsInFlight, Math.Min(Environment.ProcessorCount, options.ReadsInFlight), 1);
        var comparison = new SpanComparison(target, plan, options, progress, times);
        using var spans = Worth(comparison, stages.Token).GetEnumerator();
        stages.Threads("survey", options.ReadsInFlight, () => Read(spans, comparison, stages.Token), () => { });
        await stages.CompleteAsync();
    }

    private IEnumerable<ChunkSpan> Worth(SpanComparison comparison, CancellationToken cancel)
    {
        var volumes = comparison.VolumesWorthIt(cancel);
        return Array.IndexOf(volumes, true) < 0 ? [] : ChunkSpan.Of(plan.Manifest, (v, _) => volumes[v]);
    }

    private void Read(IEnumerator<ChunkSpan> spans, SpanComparison comparison, CancellationToken cancel)
    {
        using var buffer = AlignedBuffer.Rent(ChunkSpan.BufferLength(plan.Manifest));
        while (true)
        {
            cancel.ThrowIfCancellationRequested();
            ChunkSpan span;
            lock (spans)
            {
                do
                {
                    if (!spans.MoveNext())
                        return;
                    span = spans.Current;
                }
                while (!comparison.WantsNext());
            }
            if (comparison.Kept(span, buffer.Span) is { } kept)
                for (var i = 0; i < kept.Length; i++)
                    if (kept[i])
                        state.MarkKept(span.VolumeIndex, span.Chunks[i]);
        }
    }
}
