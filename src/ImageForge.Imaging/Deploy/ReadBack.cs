using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Manifests;
using ImageForge.Imaging.Pipelines;

namespace ImageForge.Imaging.Deploy;

/// <summary>Reads every chunk that was written back from the device (which opens with <c>O_DIRECT</c>, so not from the page cache) and compares its hash.</summary>
internal sealed class ReadBack(IBlockDevice target, WritePlan plan, DeployState state, DeployProgress progress)
{
    /// <summary>Two: one reads while the other hashes, and the reads stay nearly in order.</summary>
    private const int Readers = 2;

    public async Task RunAsync(CancellationToken cancel)
    {
        using var stages = new StageGroup(cancel);
        using var written = Written().GetEnumerator();
        stages.Threads("read back", Readers, () => Read(written, stages.Token), () => { });
        await stages.CompleteAsync();
    }

    private IEnumerable<(int Volume, ManifestChunk Chunk)> Written()
    {
        for (var v = 0; v < plan.Manifest.Volumes.Count; v++)
            foreach (var chunk in plan.Manifest.Volumes[v].Chunks())
                if (state.IsWritten(v, chunk.Index))
                    yield return (v, chunk);
    }

    private void Read(IEnumerator<(int Volume, ManifestChunk Chunk)> written, CancellationToken cancel)
    {
        var disk = new ChunkOnDisk(target);
        AlignedBuffer? buffer = null;
        try
        {
            while (true)
            {
                cancel.ThrowIfCancellationRequested();
                (int Volume, ManifestChunk Chunk) next;
                lock (written)
                {
                    if (!written.MoveNext())
                        return;
                    next = written.Current;
                }
                var volume = plan.Manifest.Volumes[next.Volume];
                if (buffer is null || buffer.Length < volume.Header.ChunkSize)
                {
                    buffer?.Dispose();
                    buffer = AlignedBuffer.Rent(volume.Header.ChunkSize);
                }
                var head = next.Chunk.Index == 0 ? state.Heads[next.Volume] : null;
                if (!disk.IsRight(volume, next.Chunk, buffer.Span, head))
                    throw DeployFailures.ReadBack(target.Name, volume.Header, next.Chunk.VolumeOffset);
                progress.AddVerified(volume.UsedBytesOf(next.Chunk));
            }
        }
        finally
        {
            buffer?.Dispose();
        }
    }
}
