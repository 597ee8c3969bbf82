using System.Security.Cryptography;
using ImageForge.Contracts;
using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Manifests;
using ImageForge.Server.ImageStore;

namespace ImageForge.Server.Images;

/// <summary>How a seal ended.</summary>
internal abstract record SealOutcome
{
    public sealed record Sealed(ImageVersion Version) : SealOutcome;

    public sealed record BadManifest(Failure Failure) : SealOutcome;

    /// <param name="First">The first few of them.</param>
    public sealed record ChunksMissing(int Count, IReadOnlyList<ChunkId> First) : SealOutcome;

    /// <param name="Errno">Of syncfs; 0: chunks were lost while this seal was under way.</param>
    /// <summary>Write-back failed; what arrived since the last sync is removed and must be sent again.</summary>
    public sealed record NotDurable(int Errno) : SealOutcome;

    public sealed record NoSpace : SealOutcome;
}

/// <summary>
/// Turns a manifest and chunks that arrived into an image version: every chunk held → durable → manifest durable → row in the database.
/// A crash between two of these steps leaves no version, and the repeated request makes it.
/// </summary>
internal sealed class ImageSealing(ChunkStore store, ManifestFiles manifests, ImageSigningKey key, ImageVersions versions)
{
    private const int ShownIds = 8;

    public async Task<SealOutcome> SealAsync(long taskId, string imageName, ReadOnlyMemory<byte> manifest, CancellationToken cancellationToken)
    {
        var hash = SHA256.HashData(manifest.Span);
        var name = Convert.ToHexStringLower(hash);
        if (await versions.FindSealedAsync(taskId, name, cancellationToken) is { } before)
            return new SealOutcome.Sealed(before);
        if (!ImageDisks.TryParse(manifest.Span, out var parsed, out var failure))
            return new SealOutcome.BadManifest(failure);

        var chunks = new ChunkSet(parsed);
        var losses = store.Losses;
        var (missing, storedBytes) = await Task.Run(() => CountHeld(chunks, cancellationToken), cancellationToken);
        if (missing.Count > 0)
            return new SealOutcome.ChunksMissing(missing.Count, [.. missing.Take(ShownIds)]);

        try
        {
            if (await store.MakeDurableAsync(cancellationToken) is not 0 and var errno)
                return new SealOutcome.NotDurable(errno);
            // The kernel tells a failed write-back once: another seal may have heard of it and removed what this one counted.
            if (store.Losses != losses)
                return new SealOutcome.NotDurable(0);
            manifests.WriteDurably(name, manifest.Span);
        }
        catch (IOException e) when (DiskFull.Is(e))
        {
            return new SealOutcome.NoSpace();
        }
        return new SealOutcome.Sealed(await versions.AddAsync(
            new NewVersion(imageName, name, key.Sign(hash), taskId, parsed.DiskSizeBytes, parsed.UsedBytes, chunks.Count, storedBytes), cancellationToken));
    }

    private (List<ChunkId> Missing, long StoredBytes) CountHeld(ChunkSet chunks, CancellationToken cancellationToken)
    {
        var missing = new List<ChunkId>();
        var bytes = 0L;
        foreach (var id in chunks.Ids)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (store.Holds(id) && store.StoredLength(id) is { } length)
                bytes += length;
            else
                missing.Add(id);
        }
        return (missing, bytes);
    }
}
