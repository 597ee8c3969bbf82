using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Manifests;
using ImageForge.Imaging.Pipelines;

namespace ImageForge.Imaging.Deploy;

/// <summary>
/// Finds out, volume by volume, whether the target holds so much of the image that comparing it is cheaper than writing it: reads a
/// few data chunks spread over the volume. A blank, foreign or encrypted disk has none of them right and is not compared.
/// </summary>
internal sealed class TargetSampling(IBlockDevice target, WritePlan plan, DeployProgress progress)
{
    /// <summary>Enough to tell a share of a third from none with less than one mistake in a million, and read in a moment.</summary>
    private const int Samples = 48;

    /// <summary>
    /// A chunk that is found right saves fetching, decompressing, writing and reading back; each that is compared costs a read and a hash.
    /// By estimate the first is at least three times the second (README.md), so comparing pays from this share of right chunks on.
    /// </summary>
    private const double WorthFrom = 1.0 / 3;

    /// <summary>One answer per volume of the manifest.</summary>
    public bool[] WorthComparing(CancellationToken cancel)
    {
        var worth = new bool[plan.Manifest.Volumes.Count];
        using var buffer = AlignedBuffer.Rent(ChunkSpan.BufferLength(plan.Manifest));
        for (var v = 0; v < worth.Length; v++)
        {
            var (seen, right) = Sample(v, buffer, cancel);
            worth[v] = seen > 0 && right >= seen * WorthFrom;
        }
        return worth;
    }

    private (int Seen, int Right) Sample(int v, AlignedBuffer buffer, CancellationToken cancel)
    {
        var volume = plan.Manifest.Volumes[v];
        var disk = new SpanOnDisk(target);
        // Data only: zeros are right on a blank disk. Never the first chunk: the head of the volume is gone already.
        var data = volume.Chunks().Where(c => c.Kind == ChunkKind.Data && c.Index > 0);
        var step = Math.Max(1, data.Count() / Samples);
        var (seen, right) = (0, 0);
        foreach (var chunk in data.Where((_, i) => i % step == step / 2).Take(Samples))
        {
            cancel.ThrowIfCancellationRequested();
            seen++;
            try
            {
                var span = new ChunkSpan(v, volume, [chunk]);
                progress.AddSampled(disk.Read(span, buffer.Span));
                right += SpanOnDisk.IsRight(volume, chunk, buffer.Span[..chunk.Length], default) ? 1 : 0;
            }
            catch (DiskException e) when (e.Trouble == DiskTrouble.MediumError)
            {
                // Wrong, as far as this disk can tell.
            }
        }
        return (seen, right);
    }
}
