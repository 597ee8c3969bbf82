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

    // Single ones are bad sectors; as many in a row are a disk that is gone.
    private const int MaxUnreadableInRow = 16;

    private readonly IdleThread _thread = new("verify");
    private int _unreadableInRow;

    public void Dispose() => _thread.Dispose();

    /// <param name="report">Hears each folder.</param>
    public async Task<VerifyProgress> RunAsync(VerifyRequest request, VerifyProgress progress, Action<VerifyProgress> report, CancellationToken cancellationToken)
    {
        var covered = (await versions.ListManifestsAsync(cancellationToken)).Where(v => IsIn(request, v)).ToList();
        if (progress.FoldersDone == 0)
            progress = progress with { BadManifests = await FindBadManifestsAsync(covered, cancellationToken), NewestVersion = covered.Count == 0 ? 0 : covered.Max(static v => v.VersionId) };
        // After a restart: the folders before it were not hashed for what was sealed since.
        covered.RemoveAll(v => v.VersionId > progress.NewestVersion);
        _unreadableInRow = 0;
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
                progress = WithNotVerified(progress, marked.Unreadable);
            }
            progress = await VerifyFolderAsync(marked, first, second, whole && existing.Contains(second), covered, progress, cancellationToken);
            if (_unreadableInRow >= MaxUnreadableInRow)
                return progress with { Problem = $"The disk could not read {_unreadableInRow} chunks in a row, so the verification ended and none of them was set aside. Check the disk of the image store, then verify again." };
            progress = progress with { FoldersDone = at + 1 };
            report(progress);
        }
        await versions.SetVerifiedAsync(
            covered.Where(v => progress.BadManifests?.Contains(v.Name) != true && progress.NotVerified?.Contains(v.VersionId) != true).Select(static v => v.VersionId),
            time.GetUtcNow(), cancellationToken);
        return progress;
    }

    public static bool IsIn(VerifyRequest request, VersionManifest version) =>
        request.Image is null || request.Image == version.ImageName && (request.Version is null || request.Version == version.Number);

    private async Task<VerifyProgress> VerifyFolderAsync(
        MarkedPartition marked, byte first, byte second, bool whole, List<VersionManifest> covered, VerifyProgress progress, CancellationToken cancellationToken)
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
            ChunksUnreadable = progress.ChunksUnreadable + hashed.Unreadable.Count,
        };
        if (hashed.Doubted.Count > 0)
            progress = await SetAsideAsync(hashed.Doubted, hashed.Unreadable, progress, cancellationToken);
        return hashed.Unreadable.Count == 0 ? progress : WithNotVerified(progress, await HavingAsync(hashed.Unreadable, covered, cancellationToken));
    }

    private (long Good, long Bytes, List<ChunkId> Unreadable, List<ChunkId> Doubted) Hash(ChunkId[] ids, MarkedPartition marked, CancellationToken cancellationToken)
    {
        long good = 0, bytes = 0;
        List<ChunkId> unreadable = [], doubted = [];
        foreach (var id in ids)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (_unreadableInRow >= MaxUnreadableInRow)
                break;
            ChunkVerdict verdict;
            try
            {
                verdict = store.Reverify(id, out var length);
                // Once more: what a controller lost on the way is there at the second try.
                if (verdict == ChunkVerdict.Unreadable)
                    verdict = store.Reverify(id, out length);
                bytes += length;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Says nothing of the chunk: too many open files, for example.
                verdict = ChunkVerdict.Unreadable;
            }
            if (verdict == ChunkVerdict.Unreadable)
            {
                unreadable.Add(id);
                _unreadableInRow++;
                continue;
            }
            // A missing one was not read: it says nothing of the disk.
            if (verdict != ChunkVerdict.Missing)
                _unreadableInRow = 0;
            if (verdict == ChunkVerdict.Good)
                good++;
            // What no version names and is gone was swept meanwhile.
            else if (verdict == ChunkVerdict.Corrupt || marked.Contains(id))
                doubted.Add(id);
        }
        return (good, bytes, unreadable, doubted);
    }

    /// <param name="unreadable">Gets those that cannot be read now that everybody else waits.</param>
    private async Task<VerifyProgress> SetAsideAsync(List<ChunkId> doubted, List<ChunkId> unreadable, VerifyProgress progress, CancellationToken cancellationToken)
    {
        var judged = await faults.SetAsideAsync(doubted, cancellationToken);
        var verdicts = judged.Values;
        unreadable.AddRange(judged.Where(static v => v.Value == ChunkVerdict.Unreadable).Select(static v => v.Key));
        return progress with
        {
            ChunksGood = progress.ChunksGood + verdicts.Count(static v => v == ChunkVerdict.Good),
            ChunksBad = progress.ChunksBad + verdicts.Count(static v => v == ChunkVerdict.Corrupt),
            ChunksMissing = progress.ChunksMissing + verdicts.Count(static v => v == ChunkVerdict.Missing),
            ChunksUnreadable = progress.ChunksUnreadable + verdicts.Count(static v => v == ChunkVerdict.Unreadable),
        };
    }

    private static VerifyProgress WithNotVerified(VerifyProgress progress, List<VersionManifest> found) =>
        found.Count == 0 ? progress : progress with { NotVerified = [.. (progress.NotVerified ?? []).Union(found.Select(static v => v.VersionId)).Order()] };

    /// <param name="chunks">All begin with the same byte.</param>
    private async Task<List<VersionManifest>> HavingAsync(List<ChunkId> chunks, List<VersionManifest> covered, CancellationToken cancellationToken)
    {
        var having = new List<VersionManifest>();
        foreach (var same in covered.GroupBy(static v => v.ManifestHash, StringComparer.Ordinal))
        {
            if (await indexes.ReadAsync(same.Key, ChunkIndex.PartitionOf(chunks[0]), cancellationToken) is not { } indexed || indexed.Any(c => chunks.Contains(c.Id)))
                having.AddRange(same);
        }
        return having;
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
