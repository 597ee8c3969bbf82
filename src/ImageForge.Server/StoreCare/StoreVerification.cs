using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Manifests;
using ImageForge.Server.Images;
using ImageForge.Server.ImageStore;

namespace ImageForge.Server.StoreCare;

/// <summary>
/// Hashes every chunk of the store, or of one image, in the order of the ids: folder by folder, so that a restart goes on where it was. What is
/// bad is set aside by <see cref="ChunkFaults"/>, which records whom it hurts.
/// </summary>
internal sealed class StoreVerification(
    StoreFolder folder, ChunkStore store, ChunkIndexes indexes, ManifestFiles manifests, ImageVersions versions, ChunkFaults faults, TimeProvider time)
    : IDisposable
{
    private const int FoldersPerPart = 256;

    private readonly IdleThread _thread = new("verify");

    public void Dispose() => _thread.Dispose();

    /// <param name="report">Hears each folder.</param>
    public async Task<VerifyProgress> RunAsync(VerifyRequest request, VerifyProgress progress, Action<VerifyProgress> report, CancellationToken cancellationToken)
    {
        var covered = (await versions.ListManifestsAsync(cancellationToken)).Where(v => IsIn(request, v)).ToList();
        if (progress.FoldersDone == 0)
            progress = progress with { BadManifests = await FindBadManifestsAsync(covered, cancellationToken) };
        var whole = request.Image is null;
        MarkedPartition? marked = null;
        HashSet<byte> existing = [];
        for (var at = progress.FoldersDone; at < progress.Folders; at++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var (first, second) = ((byte)(at / FoldersPerPart), (byte)(at % FoldersPerPart));
            if (marked is null || second == 0)
            {
                existing = [.. folder.FoldersIn(first)];
                marked = await MarkedPartition.ReadAsync(indexes, whole ? await versions.ListManifestsAsync(cancellationToken) : covered, first, cancellationToken);
            }
            progress = await VerifyFolderAsync(marked, first, second, whole && existing.Contains(second), progress, cancellationToken) with { FoldersDone = at + 1 };
            report(progress);
        }
        await versions.SetVerifiedAsync(covered.Where(v => progress.BadManifests?.Contains(v.Name) != true).Select(static v => v.VersionId), time.GetUtcNow(), cancellationToken);
        return progress;
    }

    public static bool IsIn(VerifyRequest request, VersionManifest version) =>
        request.Image is null || request.Image == version.ImageName && (request.Version is null || request.Version == version.Number);

    private async Task<VerifyProgress> VerifyFolderAsync(
        MarkedPartition marked, byte first, byte second, bool whole, VerifyProgress progress, CancellationToken cancellationToken)
    {
        var needed = marked.InFolder(second);
        ChunkId[] ids = whole ? [.. folder.ChunksIn(first, second).Union(needed).Order()] : needed;
        if (ids.Length == 0)
            return progress;
        var hashed = await _thread.RunAsync(() => Hash(ids, marked, cancellationToken));
        progress = progress with
        {
            ChunksGood = progress.ChunksGood + hashed.Good,
            BytesRead = progress.BytesRead + hashed.Bytes,
            ChunksUnreadable = progress.ChunksUnreadable + hashed.Unreadable,
        };
        return hashed.Doubted.Count == 0 ? progress : await SetAsideAsync(hashed.Doubted, progress, cancellationToken);
    }

    private (long Good, long Bytes, long Unreadable, List<ChunkId> Doubted) Hash(ChunkId[] ids, MarkedPartition marked, CancellationToken cancellationToken)
    {
        long good = 0, bytes = 0, unreadable = 0;
        var doubted = new List<ChunkId>();
        foreach (var id in ids)
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                var verdict = store.Reverify(id, out var length);
                bytes += length;
                if (verdict == ChunkVerdict.Good)
                    good++;
                // What no version names and is gone was swept meanwhile.
                else if (verdict == ChunkVerdict.Corrupt || marked.Contains(id))
                    doubted.Add(id);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Says nothing of the chunk: too many open files, for example.
                unreadable++;
            }
        }
        return (good, bytes, unreadable, doubted);
    }

    private async Task<VerifyProgress> SetAsideAsync(List<ChunkId> doubted, VerifyProgress progress, CancellationToken cancellationToken)
    {
        var verdicts = (await faults.SetAsideAsync(doubted, cancellationToken)).Values;
        return progress with
        {
            ChunksGood = progress.ChunksGood + verdicts.Count(static v => v == ChunkVerdict.Good),
            ChunksBad = progress.ChunksBad + verdicts.Count(static v => v == ChunkVerdict.Corrupt),
            ChunksMissing = progress.ChunksMissing + verdicts.Count(static v => v == ChunkVerdict.Missing),
        };
    }

    private async Task<IReadOnlyList<string>> FindBadManifestsAsync(List<VersionManifest> covered, CancellationToken cancellationToken)
    {
        var bad = new List<string>();
        foreach (var same in covered.GroupBy(static v => v.ManifestHash, StringComparer.Ordinal))
        {
            var bytes = await manifests.ReadAsync(same.Key, cancellationToken);
            if (bytes is null || ManifestHash.Of(bytes) != same.Key || !ImageDisks.TryParse(bytes, out _, out _))
                bad.AddRange(same.Select(static v => v.Name));
        }
        return bad;
    }
}
