using ImageForge.Server.Images;
using ImageForge.Server.ImageStore;

namespace ImageForge.Server.StoreCare;

/// <summary>Works out how many bytes each version has for itself: what deleting it would free.</summary>
internal sealed class VersionSizes(ImageVersions versions, ChunkIndexes indexes)
{
    public async Task UpdateAsync(CancellationToken cancellationToken)
    {
        var all = await versions.ListManifestsAsync(cancellationToken);
        var sums = all.ToDictionary(static v => v.VersionId, static _ => 0L);
        for (var partition = 0; partition < ChunkIndex.Partitions; partition++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            (await MarkedPartition.ReadAsync(indexes, all, (byte)partition, cancellationToken)).AddUniqueBytes(sums);
        }
        await versions.SetUniqueBytesAsync(sums, cancellationToken);
    }
}
