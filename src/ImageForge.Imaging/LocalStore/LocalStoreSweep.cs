using ImageForge.Contracts;
using ImageForge.Imaging.Chunks;

namespace ImageForge.Imaging.LocalStore;

/// <param name="Versions">What was removed from the catalogue.</param>
/// <param name="Chunks">Chunks that no version used any more.</param>
/// <param name="FreedBytes">Bytes of the files that went.</param>
public sealed record SweepResult(IReadOnlyList<LocalImageVersion> Versions, long Chunks, long FreedBytes);

/// <summary>
/// Removes versions, then whatever no version names. The catalogue goes first: a cut in between leaves chunks too many, which the
/// next sweep takes. If any manifest that stays cannot be read nothing is removed.
/// </summary>
internal sealed class LocalStoreSweep(LocalStore store, LocalStoreFolder folder)
{
    public SweepResult Delete(string image, int? number, CancellationToken cancel)
    {
        using var alone = StoreLock.ForSweeping(folder);
        var newest = store.Find(image, number);
        IReadOnlyList<LocalImageVersion> gone = number is null ? store.Versions(image) : [newest];
        var names = gone.Select(version => (version.Image, version.Number)).ToHashSet();
        var staying = store.AllVersions().Where(version => !names.Contains((version.Image, version.Number))).ToList();
        var marked = Mark(staying, cancel);
        return StoreFailures.Guard(folder, () =>
        {
            foreach (var version in gone)
                File.Move(folder.VersionFile(image, version.Number), folder.DeletedFile(image, version.Number), overwrite: true);
            Durable.FlushFolder(folder.ImageFolder(image));
            return Sweep(gone, marked, [.. staying.Select(version => version.ManifestHash)]);
        });
    }

    private HashSet<ChunkId> Mark(List<LocalImageVersion> staying, CancellationToken cancel)
    {
        var marked = new HashSet<ChunkId>();
        foreach (var version in staying.DistinctBy(version => version.ManifestHash))
        {
            cancel.ThrowIfCancellationRequested();
            marked.UnionWith(store.ReadImage(version).DataChunks().Select(chunk => chunk.Id));
        }
        return marked;
    }

    private SweepResult Sweep(IReadOnlyList<LocalImageVersion> gone, HashSet<ChunkId> marked, HashSet<string> manifests)
    {
        long chunks = 0, bytes = 0;
        foreach (var file in new DirectoryInfo(folder.Chunks).EnumerateFiles("*", SearchOption.AllDirectories))
        {
            if (ChunkId.TryParse(file.Name, out var id) && marked.Contains(id))
                continue;
            chunks++;
            bytes += file.Length;
            file.Delete();
        }
        foreach (var file in (IEnumerable<FileInfo>)[.. new DirectoryInfo(folder.Manifests).EnumerateFiles().Where(file => !manifests.Contains(file.Name)), .. Remains()])
        {
            bytes += file.Length;
            file.Delete();
        }
        return new SweepResult(gone, chunks, bytes);
    }

    /// <summary>What captures that were killed left behind.</summary>
    private IEnumerable<FileInfo> Remains() => Directory.Exists(folder.Staging) ? new DirectoryInfo(folder.Staging).EnumerateFiles() : [];
}
