using ImageForge.Imaging.Chunks;
using ImageForge.Server.Images;
using ImageForge.Server.ImageStore;

namespace ImageForge.Server.StoreCare;

/// <summary>What beside chunks nobody needs any more: manifests without a version, indexes without a manifest, dead uploads, old quarantine.</summary>
internal sealed class LeftoverFiles(StoreFolder folder, ChunkStore store, ImageVersions versions, SealGate gate, ImageStoreOptions options, TimeProvider time)
{
    // Longer than any upload may take.
    private static readonly TimeSpan UploadLifetime = TimeSpan.FromHours(24);

    public async Task<SweepProgress> RemoveAsync(SweepRequest request, SweepProgress progress, CancellationToken cancellationToken)
    {
        var manifests = 0;
        foreach (var file in Older(folder.Manifests, options.Grace))
        {
            if (await versions.AnyHasAsync(Path.GetFileName(file), cancellationToken))
                continue;
            // A seal writes the manifest first and its row then, both inside the gate.
            using var _ = await gate.EnterAsync(cancellationToken);
            if (await versions.AnyHasAsync(Path.GetFileName(file), cancellationToken) || !IsOlder(file, options.Grace))
                continue;
            Remove(file, request);
            manifests++;
        }
        var temporary = 0;
        foreach (var file in Older(folder.Incoming, UploadLifetime))
        {
            Remove(file, request);
            temporary++;
        }
        foreach (var file in Older(folder.Index, options.Grace).Where(LacksManifest))
        {
            // A version whose manifest was lost: its index still says which chunks must stay for the day it is restored.
            if (await versions.AnyHasAsync(Path.GetFileName(file), cancellationToken))
                continue;
            Remove(file, request);
            temporary++;
        }
        var quarantined = 0;
        foreach (var file in Older(folder.Quarantine, options.QuarantineLifetime))
        {
            // The last copy of something that a version may still need.
            if (ChunkId.TryParse(Path.GetFileName(file), out var id) && !store.MayDestroyQuarantined(id, takeBack: !request.DryRun))
                continue;
            Remove(file, request);
            quarantined++;
        }
        return progress with { ManifestsRemoved = manifests, TemporaryRemoved = temporary, QuarantinedRemoved = quarantined };
    }

    /// <summary>An index is made again from its manifest; without one it serves nobody.</summary>
    private bool LacksManifest(string index) => !File.Exists(Path.Combine(folder.Manifests, Path.GetFileName(index)));

    private string[] Older(string path, TimeSpan than) => [.. Directory.EnumerateFiles(path).Where(f => IsOlder(f, than))];

    private bool IsOlder(string file, TimeSpan than) => File.GetLastWriteTimeUtc(file) <= time.GetUtcNow() - than;

    private static void Remove(string file, SweepRequest request)
    {
        if (!request.DryRun)
            File.Delete(file);
    }
}
