using System.Collections.Concurrent;
using Dapper;
using ImageForge.Contracts;
using ImageForge.Imaging.Manifests;
using ImageForge.Imaging.Resize;
using ImageForge.Server.Data;
using ImageForge.Server.Images;
using ImageForge.Server.ImageStore;

namespace ImageForge.Server.Shrinking;

/// <summary>
/// Makes smaller versions of images, one at a time: it takes the disk and a processor of the server. Files are below the store and
/// go with the run; what a crash leaves is removed at the next start.
/// </summary>
internal sealed partial class ShrinkDesk : IDisposable
{
    private const int LargestSector = 4096, LeasesAtOnce = 1 << 16, MostWaiting = 32;

    private readonly ConcurrentDictionary<(long Version, long DiskBytes), ShrinkRun> _runs = new();
    private readonly ConcurrentDictionary<(long Version, long DiskBytes), Work> _works = new();
    private readonly SemaphoreSlim _one = new(1, 1);
    private readonly string _folder;
    private readonly StoreFolder _store;
    private readonly long _reserve;
    private readonly Database _database;
    private readonly ShrinkChunks _chunks;
    private readonly ChunkLeases _leases;
    private readonly ManifestFiles _manifests;
    private readonly ImageSealing _sealing;
    private readonly ImageVersions _versions;
    private readonly CancellationToken _stopping;
    private readonly TimeProvider _time;
    private readonly ILogger<ShrinkDesk> _logger;

    public ShrinkDesk(
        StoreFolder store, ImageStoreOptions options, Database database, ShrinkChunks chunks, ChunkLeases leases, ManifestFiles manifests, ImageSealing sealing, ImageVersions versions,
        IHostApplicationLifetime lifetime, TimeProvider time, ILogger<ShrinkDesk> logger)
    {
        (_database, _chunks, _leases, _manifests, _sealing, _versions, _stopping, _time, _logger) = (database, chunks, leases, manifests, sealing, versions, lifetime.ApplicationStopping, time, logger);
        (_store, _reserve) = (store, options.ReserveBytes);
        // Beside the chunks, where there is room for volumes: a full disk below the database would stop every task.
        _folder = Path.Combine(store.Root, "shrinking");
        Directory.CreateDirectory(_folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        foreach (var leftover in Directory.EnumerateDirectories(_folder))
            Directory.Delete(leftover, recursive: true);
    }

    /// <summary>The orders for one version, newest first.</summary>
    public IReadOnlyList<ShrinkRun> RunsOf(ImageVersion version) =>
        [.. _runs.Where(r => r.Key.Version == version.Id).Select(r => r.Value).OrderByDescending(r => r.StartedAt)];

    /// <summary>Begins, or answers with what is under way or was made already for a disk of that size. Null: the version is gone meanwhile.</summary>
    public async Task<ShrinkRun?> OrderAsync(ImageVersion version, long diskBytes, string by, CancellationToken cancellationToken)
    {
        // Whole sectors of any disk, as the engine makes it: the same order is found again.
        diskBytes -= diskBytes % LargestSector;
        var now = _time.GetUtcNow();
        var made = (await _versions.ListAsync(version.ImageName, cancellationToken) ?? []).FirstOrDefault(v => v.DerivedFromId == version.Id && v.DiskBytes == diskBytes);
        var begun = new ShrinkRun(version.ImageName, version.Number, diskBytes, made is null ? ShrinkState.Running : ShrinkState.Succeeded,
            made is null ? "waiting" : "", made?.Number, null, by, now, made is null ? null : now);
        var key = (version.Id, diskBytes);
        if (made is null && !_runs.ContainsKey(key) && _runs.Values.Count(static r => r.State == ShrinkState.Running) >= MostWaiting)
            return begun with { State = ShrinkState.Failed, Doing = "", EndedAt = now, Failure = ShrinkFailures.TooMany };
        // What it is made from stays until it is made, also while it waits for others.
        var hold = made is null ? await _versions.HoldAsync(version, InUse(version, diskBytes), cancellationToken) : null;
        if (made is null && hold is null)
            return null;
        var run = _runs.AddOrUpdate(key, begun, (_, before) => before.State == ShrinkState.Running ? before : begun);
        if (!ReferenceEquals(run, begun) || made is not null)
        {
            hold?.Dispose();
            return run;
        }
        var work = new Work(CancellationTokenSource.CreateLinkedTokenSource(_stopping));
        _works[key] = work;
        _ = Task.Run(() => RunAsync(key, version, hold!, work), CancellationToken.None);
        return run;
    }

    /// <summary>Ends the orders for a version, or the one for a disk of that size; returns those once they have ended. None: nothing was under way.</summary>
    public async Task<IReadOnlyList<ShrinkRun>> CancelAsync(ImageVersion version, long? diskBytes)
    {
        var works = _works.Where(w => w.Key.Version == version.Id && (diskBytes is not { } only || w.Key.DiskBytes == only - only % LargestSector)).ToList();
        foreach (var (_, work) in works)
            await work.CancelAsync();
        await Task.WhenAll(works.Select(static w => w.Value.Done.Task));
        return [.. works.Select(w => _runs[w.Key])];
    }

    public void Dispose() => _one.Dispose();

    private async Task RunAsync((long, long DiskBytes) key, ImageVersion version, IDisposable hold, Work work)
    {
        var folder = Path.Combine(_folder, Guid.CreateVersion7().ToString("N"));
        try
        {
            await _one.WaitAsync(work.Cancelled);
            try
            {
                var sealedVersion = await MakeAsync(version, key.DiskBytes, folder, text => Change(key, r => r with { Doing = text }), work.Cancelled);
                Change(key, r => r with { State = ShrinkState.Succeeded, Doing = "", Result = sealedVersion.Number, EndedAt = _time.GetUtcNow() });
                LogMade(version.ImageName, version.Number, sealedVersion.Number, key.DiskBytes);
            }
            finally
            {
                _chunks.CountOnNothing();
                _one.Release();
                if (Directory.Exists(folder))
                    Directory.Delete(folder, recursive: true);
            }
        }
        catch (OperationCanceledException) when (work.Cancelled.IsCancellationRequested && !_stopping.IsCancellationRequested)
        {
            LogCancelled(version.ImageName, version.Number, key.DiskBytes);
            Change(key, r => r with { State = ShrinkState.Cancelled, Doing = "", EndedAt = _time.GetUtcNow() });
        }
#pragma warning disable CA1031 // The run's edge: whatever happened is its result.
        catch (Exception e)
#pragma warning restore CA1031
        {
            var failure = ShrinkFailures.Of(e);
            LogFailed(e, version.ImageName, version.Number, failure.Code);
            Change(key, r => r with { State = ShrinkState.Failed, Doing = "", Failure = failure, EndedAt = _time.GetUtcNow() });
        }
        finally
        {
            hold.Dispose();
            _works.TryRemove(key, out _);
            work.End();
        }
    }

    private async Task<ImageVersion> MakeAsync(ImageVersion version, long diskBytes, string folder, Action<string> say, CancellationToken cancel)
    {
        var file = await _manifests.ReadAsync(version.ManifestHash, cancel)
            ?? throw new FailureException("manifestMissing", Fault.Image, $"The manifest of {version.ImageName} version {version.Number} is not in the store.", "Capture the image again.");
        if (!ImageDisks.TryParse(file, out var image, out var failure))
            throw new FailureException(failure);
        if (image.Disks is not [var disk])
            throw new FailureException("shrinkSeveralDisks", Fault.Image, $"The image has {image.Disks.Count} disks, and only an image of one is shrunk.", "Use larger disks, or capture the disk alone.");
        var room = disk.Manifest.Volumes.Max(static v => v.UsedBytes);
        if (_store.FreeBytes() - _reserve < room)
            throw ShrinkFailures.NoRoom(room, _store.FreeBytes(), _reserve, _store.Root);
        _chunks.CountOn(disk.Manifest.DataChunks().Select(c => c.Id));
        var result = await new ShrinkEngine(disk.Manifest, _chunks, _chunks, folder).RunAsync(diskBytes, say, cancel);
        say("sealing the smaller version");
        return await SealAsync(version, new ChunkSet(new ImageDisks([new ImageDisk(null, result.ManifestHash, result.Manifest)])), result.ManifestBytes, cancel);
    }

    /// <summary>Leases belong to host tasks; a negative number is none of theirs, and a sweep in between takes it back: then once more.</summary>
    private async Task<ImageVersion> SealAsync(ImageVersion version, ChunkSet chunks, byte[] manifest, CancellationToken cancel)
    {
        for (var attempt = 1; ; attempt++)
        {
            // In parts: heartbeats and check-ins write to the database in between.
            foreach (var part in chunks.Ids.Chunk(LeasesAtOnce))
                await _leases.RecordAsync(-version.Id, part, cancel);
            try
            {
                switch (await _sealing.SealAsync(-version.Id, version.ImageName, manifest, cancel, version.Id))
                {
                    case SealOutcome.Sealed(var made):
                        // No host task captured it.
                        await _database.WriteAsync((connection, transaction) => connection.ExecuteAsync(
                            "UPDATE image_versions SET task_id = NULL WHERE id = @Id", new { made.Id }, transaction), CancellationToken.None);
                        return made;
                    case SealOutcome.NoSpace:
                        throw ShrinkFailures.NoSpace;
                    case SealOutcome.BadManifest(var failure):
                        throw new FailureException(failure);
                    case SealOutcome.ChunksMissing(var count, _) when attempt >= 3:
                        throw new FailureException("chunksMissing", Fault.Server, $"{count} chunks of the smaller version are not in the store.", "Order it again.");
                    case SealOutcome.NotDurable when attempt >= 3:
                        throw new FailureException("storeNotDurable", Fault.Server, "The server's disk did not write what it was given.", "Check the disk of the server, then order it again.");
                }
            }
            finally
            {
                await _leases.ReleaseAsync(-version.Id, CancellationToken.None);
            }
        }
    }

    private void Change((long, long) key, Func<ShrinkRun, ShrinkRun> change) => _runs.AddOrUpdate(key, _ => throw new InvalidOperationException("no such run"), (_, run) => change(run));

    private static KeepReason InUse(ImageVersion version, long diskBytes) => new(
        "versionInUse", $"A version for disks of {diskBytes} bytes is being made from version {version.Number} of {version.ImageName}.",
        $"Wait for it or cancel it: POST /api/v1/images/{Uri.EscapeDataString(version.ImageName)}/versions/{version.Number}/shrink/cancel.");

    /// <summary>What can be cancelled, and is awaited then.</summary>
    private sealed class Work(CancellationTokenSource cancel)
    {
        private readonly Lock _lock = new();
        private bool _ended;

        public CancellationToken Cancelled { get; } = cancel.Token;

        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task CancelAsync()
        {
            lock (_lock)
                return _ended ? Task.CompletedTask : cancel.CancelAsync();
        }

        public void End()
        {
            lock (_lock)
                _ended = true;
            Done.SetResult();
            cancel.Dispose();
        }
    }
}
