using System.Security.Cryptography;
using ImageForge.Contracts;
using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Manifests;
using ImageForge.Server.Events;
using ImageForge.Server.ImageStore;
using Microsoft.Data.Sqlite;

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

    /// <summary>The task was cancelled or has failed meanwhile: nothing keeps its chunks any more.</summary>
    public sealed record TaskEnded : SealOutcome;
}

/// <summary>
/// Turns a manifest and chunks that arrived into an image version: every chunk leased and held → durable → manifest durable → row in the
/// database. A crash between two of these steps leaves no version, and the repeated request makes it.
/// </summary>
internal sealed partial class ImageSealing(
    ChunkStore store, ChunkLeases leases, ManifestFiles manifests, ChunkIndexes indexes, SealGate gate, ImageSigningKey key, ImageVersions versions, EventLog events,
    ILogger<ImageSealing> logger)
{
    private const int ShownIds = 8;

    /// <param name="derivedFrom">Id of the version this one was made from; null: it was captured.</param>
    /// <param name="damaged">What that one lacks, as it says it; null: what the manifest says.</param>
    /// <param name="memory">Of the upload; given back once the manifest is parsed, long before the disk is done.</param>
    public async Task<SealOutcome> SealAsync(
        long taskId, string imageName, ReadOnlyMemory<byte> manifest, CancellationToken cancellationToken, long? derivedFrom = null, string? damaged = null,
        IDisposable? memory = null)
    {
        var hash = SHA256.HashData(manifest.Span);
        var name = Convert.ToHexStringLower(hash);
        if (await versions.FindSealedAsync(taskId, name, cancellationToken) is { } before)
            return new SealOutcome.Sealed(before);
        if (!ImageDisks.TryParse(manifest.Span, out var parsed, out var failure))
            return new SealOutcome.BadManifest(failure);

        var chunks = new ChunkSet(parsed);
        memory?.Dispose();
        var (losses, removals) = (store.Losses, store.Removals);
        // The leases first: what is leased now no sweep removes until this task has ended, so that what is held now stays held.
        var (unleased, lacked) = await leases.CompareAsync(taskId, chunks.Ids, cancellationToken);
        if (unleased.Count > 0)
            return new SealOutcome.ChunksMissing(unleased.Count, [.. unleased.Take(ShownIds)]);
        var held = await Task.Run(() => new HeldChunks(store, chunks, cancellationToken), cancellationToken);
        if (held.Missing.Count > 0)
        {
            // A sweep that looked at the leases just before this task took its own says "missing" for a moment.
            using var _ = await gate.EnterAsync(cancellationToken);
            held.LookAgain(store);
        }
        if (held.Missing.Count > 0)
            return new SealOutcome.ChunksMissing(held.Missing.Count, [.. held.Missing.Take(ShownIds)]);

        var stored = held.StoredBytes;
        var added = new NewVersion(imageName, name, key.Sign(hash), taskId, parsed.DiskSizeBytes, parsed.UsedBytes, chunks.Count, stored,
            derivedFrom is null ? held.BytesOf(lacked) : null, derivedFrom, damaged ?? DamageList.Of(parsed));
        try
        {
            if (await store.MakeDurableAsync(cancellationToken) is not 0 and var errno)
                return new SealOutcome.NotDurable(errno);
            using var _ = await gate.EnterAsync(cancellationToken);
            // The kernel tells a failed write-back once: another seal may have heard of it and removed what this one counted. Or a chunk went bad.
            if (store.Losses != losses)
                return new SealOutcome.NotDurable(0);
            // The task may have ended during a long sync: its leases went with it, and then chunks may have.
            if (store.Removals != removals)
            {
                await Task.Run(() => held.LookAgain(store, all: true), cancellationToken);
                if (held.Missing.Count > 0)
                    return new SealOutcome.ChunksMissing(held.Missing.Count, [.. held.Missing.Take(ShownIds)]);
            }
            manifests.WriteDurably(name, manifest.Span);
            indexes.Write(name, held.Indexed);
            return await versions.AddAsync(added, cancellationToken) is { } version ? new SealOutcome.Sealed(version) : new SealOutcome.TaskEnded();
        }
        catch (IOException e) when (DiskFull.Is(e))
        {
            return new SealOutcome.NoSpace();
        }
    }

    /// <summary>What follows a seal and must not undo it: retention.</summary>
    public async Task AfterSealAsync(ImageVersion version, CancellationToken cancellationToken)
    {
        try
        {
            await versions.ApplyRetentionAsync(version.ImageName, events, cancellationToken);
        }
        catch (SqliteException e)
        {
            // A full disk, most likely; the next seal applies it again.
            LogNoRetention(e, version.ImageName);
        }
    }

    [LoggerMessage(LogLevel.Warning, "The retention of image {Image} cannot be applied now")]
    private partial void LogNoRetention(Exception exception, string image);
}
