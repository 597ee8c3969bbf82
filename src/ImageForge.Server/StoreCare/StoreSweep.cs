using ImageForge.Imaging.Chunks;
using ImageForge.Server.Images;
using ImageForge.Server.ImageStore;

namespace ImageForge.Server.StoreCare;

/// <summary>
/// Mark and sweep, one 256th of the ids at a time. It may be killed at any point: each removal is of one chunk that nobody needs, and the
/// next sweep goes on with the others. Why it never takes a chunk that somebody was told is held: see <see cref="ChunkStore"/>.
/// </summary>
internal sealed class StoreSweep(
    StoreFolder folder, ChunkStore store, ChunkIndexes indexes, ImageVersions versions, IEnumerable<IChunkRoots> roots, StaleLeases leases, SealGate gate,
    LeftoverFiles leftovers, ImageStoreOptions options, TimeProvider time)
{
    /// <param name="report">Hears each step.</param>
    /// <returns>How it ended; <see cref="SweepProgress.Problem"/> says why nothing was removed, if so.</returns>
    public async Task<SweepProgress> RunAsync(SweepRequest request, Action<SweepProgress> report, CancellationToken cancellationToken)
    {
        var progress = new SweepProgress();
        if (!request.DryRun)
            progress = progress with { LeasesReleased = await leases.ReleaseAsync(cancellationToken) };
        if (await FindUnreadableAsync(cancellationToken) is { } unreadable)
            // Which chunks it needs is unknown: any of them could be one.
            return progress with { Problem = $"The manifest of {unreadable.Name} is missing or damaged, so nothing was removed. Restore the manifest from a backup, capture the image again, or delete that version." };
        for (var partition = 0; partition < ChunkIndex.Partitions; partition++)
        {
            progress = await SweepPartAsync((byte)partition, request, progress, cancellationToken) with { PartsDone = partition + 1 };
            report(progress);
            if (progress.Problem is not null)
                return progress;
        }
        return await leftovers.RemoveAsync(request, progress, cancellationToken);
    }

    private async Task<VersionManifest?> FindUnreadableAsync(CancellationToken cancellationToken)
    {
        foreach (var version in (await versions.ListManifestsAsync(cancellationToken)).DistinctBy(static v => v.ManifestHash))
        {
            if (await indexes.ReadAsync(version.ManifestHash, 0, cancellationToken) is null)
                return version;
        }
        return null;
    }

    private async Task<SweepProgress> SweepPartAsync(byte partition, SweepRequest request, SweepProgress progress, CancellationToken cancellationToken)
    {
        var folders = folder.FoldersIn(partition);
        if (folders.Count == 0)
            return progress;
        var marked = await MarkedPartition.ReadAsync(indexes, await versions.ListManifestsAsync(cancellationToken), partition, cancellationToken);
        if (marked.Unreadable is [var first, ..])
            return progress with { Problem = $"The manifest of {first.Name} is missing or damaged, so the sweep ended. Restore the manifest from a backup, capture the image again, or delete that version." };
        foreach (var second in folders)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var oldest = time.GetUtcNow() - options.Grace;
            long seen = 0, named = 0, young = 0;
            var garbage = new List<ChunkId>();
            foreach (var id in folder.ChunksIn(partition, second))
            {
                seen++;
                if (marked.Contains(id))
                    named++;
                else if (IsOld(folder.ChunkFile(id), oldest))
                    garbage.Add(id);
                else
                    young++;
            }
            garbage.Sort();
            var (removed, bytes) = garbage.Count == 0 ? (0, 0) : await RemoveAsync(garbage, marked, request.DryRun, cancellationToken);
            progress = progress with
            {
                ChunksSeen = progress.ChunksSeen + seen,
                ChunksNamed = progress.ChunksNamed + named,
                ChunksYoung = progress.ChunksYoung + young,
                ChunksCountedOn = progress.ChunksCountedOn + garbage.Count - removed,
                ChunksRemoved = progress.ChunksRemoved + removed,
                BytesRemoved = progress.BytesRemoved + bytes,
            };
        }
        return progress;
    }

    private async Task<(int Chunks, long Bytes)> RemoveAsync(List<ChunkId> garbage, MarkedPartition marked, bool dryRun, CancellationToken cancellationToken)
    {
        // Asked once without condemning: what a running capture counts on must not even for a moment look as if it were missing.
        garbage = Without(garbage, await CountedOnAsync(garbage, marked, cancellationToken));
        if (dryRun)
            return (garbage.Count, garbage.Sum(id => store.StoredLength(id) ?? 0));
        if (garbage.Count == 0)
            return (0, 0);
        using var _ = await gate.EnterAsync(cancellationToken);
        store.Condemn(garbage);
        try
        {
            var bytes = 0L;
            var count = 0;
            foreach (var id in Without(garbage, await CountedOnAsync(garbage, marked, cancellationToken)))
            {
                if (store.RemoveCondemned(id) is not { } length)
                    continue;
                bytes += length;
                count++;
            }
            return (count, bytes);
        }
        finally
        {
            store.Spare(garbage);
        }
    }

    private async Task<HashSet<ChunkId>> CountedOnAsync(List<ChunkId> candidates, MarkedPartition marked, CancellationToken cancellationToken)
    {
        var kept = new HashSet<ChunkId>();
        foreach (var root in roots)
            await root.KeepAsync(candidates, kept, cancellationToken);
        // Sealed since this part was marked. After the leases: a seal gives them back when its version is there.
        foreach (var version in (await versions.ListManifestsAsync(cancellationToken)).Where(v => !marked.Manifests.Contains(v.ManifestHash)))
        {
            if (await indexes.ReadAsync(version.ManifestHash, ChunkIndex.PartitionOf(candidates[0]), cancellationToken) is { } chunks)
                kept.UnionWith(chunks.Select(static c => c.Id));
            else
                kept.UnionWith(candidates);
        }
        return kept;
    }

    private static List<ChunkId> Without(List<ChunkId> candidates, HashSet<ChunkId> kept) => kept.Count == 0 ? candidates : candidates.FindAll(id => !kept.Contains(id));

    private static bool IsOld(string path, DateTimeOffset oldest) => File.GetLastWriteTimeUtc(path) <= oldest;
}
