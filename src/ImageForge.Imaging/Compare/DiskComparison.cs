using ImageForge.Contracts;
using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Deploy;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Manifests;
using ImageForge.Imaging.Pipelines;

namespace ImageForge.Imaging.Compare;

/// <summary>Whether a disk is exactly an image: the tables as a deploy would write them on a disk of this size, and every used block.</summary>
/// <param name="source">Has the image's chunks: what differs is then told by sector.</param>
public sealed class DiskComparison(IBlockDevice disk, Manifest manifest, IChunkSource source)
{
    /// <summary>Two: one reads while the other hashes, and the reads stay nearly in order.</summary>
    private const int Readers = 2;

    private long _done;

    /// <summary>Used bytes compared so far.</summary>
    public long BytesDone => Interlocked.Read(ref _done);

    public long BytesTotal => manifest.UsedBytes;

    /// <exception cref="FailureException">The disk cannot hold the image at all, or cannot be read.</exception>
    public async Task<DiskDifference> RunAsync(CancellationToken cancel)
    {
        var outcome = DeployPlanner.Plan(manifest, "", disk.SizeBytes, disk.SectorSize, null);
        if (!outcome.IsPlanned)
            throw new FailureException(outcome.Failure);
        var volumes = manifest.Volumes.Select(volume => new VolumeTally(volume)).ToList();
        using var stages = new StageGroup(cancel);
        using var chunks = volumes.SelectMany(tally => tally.Volume.Chunks().Where(chunk => chunk.Kind != ChunkKind.Unused).Select(chunk => (tally, chunk))).GetEnumerator();
        stages.Threads("compare", Readers, () => Compare(chunks, stages.Token), () => { });
        try
        {
            var tables = TableDifferences.Find(disk, manifest, outcome.Plan);
            await stages.CompleteAsync();
            return new DiskDifference([.. volumes.Select(tally => tally.ToDifference())], tables);
        }
        catch (DiskException e)
        {
            throw new FailureException(e.ToFailure(), e);
        }
    }

    private void Compare(IEnumerator<(VolumeTally Tally, ManifestChunk Chunk)> chunks, CancellationToken cancel)
    {
        var onDisk = new SpanOnDisk(disk);
        var content = new ChunkContent(source);
        AlignedBuffer? buffer = null;
        try
        {
            while (true)
            {
                cancel.ThrowIfCancellationRequested();
                (VolumeTally Tally, ManifestChunk Chunk) next;
                lock (chunks)
                {
                    if (!chunks.MoveNext())
                        return;
                    next = chunks.Current;
                }
                var (tally, chunk) = next;
                if (buffer is null || buffer.Length < tally.Volume.Header.ChunkSize)
                {
                    buffer?.Dispose();
                    buffer = AlignedBuffer.Rent(tally.Volume.Header.ChunkSize);
                }
                var same = onDisk.IsRight(tally.Volume, chunk, buffer.Span);
                // After the check the buffer holds what is on the disk, its unused blocks zeroed.
                tally.Add(chunk, same, same ? default : buffer.Span[..chunk.Length], same ? [] : content.Read(chunk, cancel), disk.SectorSize);
                Interlocked.Add(ref _done, tally.Volume.UsedBytesOf(chunk));
            }
        }
        finally
        {
            buffer?.Dispose();
            content.Dispose();
        }
    }
}
