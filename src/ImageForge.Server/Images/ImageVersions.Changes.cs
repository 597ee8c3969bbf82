using Dapper;
using ImageForge.Server.Data;
using ImageForge.Server.Events;
using ImageForge.Server.Jobs;
using ImageForge.Server.Multicasting;
using Microsoft.Data.Sqlite;

namespace ImageForge.Server.Images;

/// <summary>
/// Promote, pin, delete. Deletions are on the disk before they are answered: a sweep removes the chunks, and a power cut must not bring the
/// version back without them.
/// </summary>
internal sealed partial class ImageVersions
{
    private int _changes;

    /// <summary>Grows with each version added or deleted.</summary>
    public int Changes => Volatile.Read(ref _changes);

    /// <summary>Makes a sealed version what a deploy gets that names none: forwards or back.</summary>
    public Task<VersionOutcome> PromoteAsync(string imageName, int number, string by, EventLog events, CancellationToken cancellationToken) =>
        ChangeAsync(imageName, number, async (version, transaction) =>
        {
            if (version.Current)
                return;
            await transaction.Connection!.ExecuteAsync("UPDATE images SET current_version_id = @Id WHERE id = @ImageId", version, transaction);
            await events.RecordAsync("versionPromoted", imageName, $"{by} made version {number} of {imageName} the current one.", cancellationToken, transaction);
        }, cancellationToken);

    public Task<VersionOutcome> PinAsync(string imageName, int number, bool pinned, CancellationToken cancellationToken) =>
        ChangeAsync(imageName, number, (version, transaction) =>
            transaction.Connection!.ExecuteAsync("UPDATE image_versions SET pinned = @pinned WHERE id = @Id", new { pinned, version.Id }, transaction), cancellationToken);

    public Task<VersionOutcome> DeleteAsync(string imageName, int number, string by, EventLog events, CancellationToken cancellationToken) =>
        WriteDurablyAsync<VersionOutcome>(async (connection, transaction) =>
        {
            if (await InsideAsync(transaction, imageName, number) is not { } version)
                return await UnknownAsync(connection, transaction, imageName);
            var reasons = await ReasonsToKeepAsync(transaction, version);
            if (version.Current && await connection.ExecuteScalarAsync<long>("SELECT count(*) FROM image_versions WHERE image_id = @ImageId", version, transaction) > 1)
                reasons.Add(new KeepReason("versionCurrent", $"Version {number} is the current one of {imageName}.", "Promote another version first."));
            if (reasons.Count > 0)
                return new VersionOutcome.Kept(reasons);
            await connection.ExecuteAsync("DELETE FROM image_versions WHERE id = @Id", version, transaction);
            await events.RecordAsync("versionDeleted", imageName, $"{by} deleted version {number} of {imageName}.", cancellationToken, transaction);
            return new VersionOutcome.Done(version);
        }, cancellationToken);

    /// <summary>Deletes an image with all its versions, or nothing.</summary>
    public Task<VersionOutcome?> DeleteImageAsync(string imageName, string by, EventLog events, CancellationToken cancellationToken) =>
        WriteDurablyAsync<VersionOutcome?>(async (connection, transaction) =>
        {
            if (await connection.ExecuteScalarAsync<long?>("SELECT id FROM images WHERE name = @imageName", new { imageName }, transaction) is not { } imageId)
                return new VersionOutcome.ImageUnknown();
            var versions = (await connection.QueryAsync<Row>($"{From} WHERE i.id = @imageId ORDER BY v.number", new { imageId }, transaction)).Select(ToVersion).ToList();
            var reasons = new List<KeepReason>();
            foreach (var version in versions)
                reasons.AddRange(await ReasonsToKeepAsync(transaction, version));
            foreach (var (task, job) in await HostTaskStore.ListActiveCapturesAsync(transaction, imageName))
                reasons.Add(new KeepReason("imageInUse", $"Task {task} of job {job} captures into {imageName}.", $"Wait for it or cancel it: POST /api/v1/jobs/{job}/cancel."));
            if (reasons.Count > 0)
                return new VersionOutcome.Kept([.. reasons.DistinctBy(r => r.Sentence)]);
            await connection.ExecuteAsync("DELETE FROM image_versions WHERE image_id = @imageId; DELETE FROM images WHERE id = @imageId", new { imageId }, transaction);
            await events.RecordAsync("imageDeleted", imageName, $"{by} deleted image {imageName} with {versions.Count} versions.", cancellationToken, transaction);
            return null;
        }, cancellationToken);

    /// <summary>False: there is no such image.</summary>
    /// <param name="keepLast">How many unpinned versions stay; null: all. Applied when the next version is sealed.</param>
    public Task<bool> SetRetentionAsync(string imageName, int? keepLast, CancellationToken cancellationToken) =>
        database.WriteAsync(async (connection, transaction) =>
            await connection.ExecuteAsync("UPDATE images SET keep_last = @keepLast WHERE name = @imageName", new { imageName, keepLast }, transaction) > 0, cancellationToken);

    /// <summary>
    /// Deletes the oldest unpinned versions beyond those the image keeps; returns their numbers. What is current, in use or pinned stays
    /// whatever its age. Versions made from another (shrunk ones) do not count, and go with the one they were made from.
    /// </summary>
    public Task<IReadOnlyList<int>> ApplyRetentionAsync(string imageName, EventLog events, CancellationToken cancellationToken) =>
        WriteDurablyAsync<IReadOnlyList<int>>(async (connection, transaction) =>
        {
            if (await connection.ExecuteScalarAsync<int?>("SELECT keep_last FROM images WHERE name = @imageName", new { imageName }, transaction) is not { } keepLast)
                return [];
            var unpinned = (await connection.QueryAsync<Row>($"{From} WHERE i.name = @imageName AND v.pinned = 0 ORDER BY v.number DESC", new { imageName }, transaction))
                .Select(ToVersion).ToList();
            var old = unpinned.Where(static v => v.DerivedFromId is null).Skip(keepLast).ToList();
            var (gone, deleted) = (new HashSet<long>(), new List<int>());
            // A smaller version goes only with the one it was made from: that one may be kept because it is in use.
            foreach (var version in old.Concat(unpinned.Where(v => v.DerivedFromId is { } from && gone.Contains(from))).Where(static v => !v.Current))
            {
                if ((await ReasonsToKeepAsync(transaction, version)).Count > 0)
                    continue;
                await connection.ExecuteAsync("DELETE FROM image_versions WHERE id = @Id", version, transaction);
                deleted.Add(version.Number);
                gone.Add(version.Id);
            }
            if (deleted.Count > 0)
                await events.RecordAsync("versionsRetired", imageName,
                    $"{imageName} keeps its last {keepLast} versions: deleted version {string.Join(", ", deleted.Order())}.", cancellationToken, transaction);
            return deleted;
        }, cancellationToken);

    /// <summary>Keeps a version until disposed, also from retention. Null: it is gone.</summary>
    public Task<IDisposable?> HoldAsync(ImageVersion version, KeepReason reason, CancellationToken cancellationToken) =>
        // In the one writer's turn: a deletion is either before it, or sees it.
        database.WriteAsync(async (connection, transaction) =>
            await connection.ExecuteScalarAsync<long?>("SELECT id FROM image_versions WHERE id = @Id", version, transaction) is null ? null : holds.Add(version.Id, reason), cancellationToken);

    private Task<VersionOutcome> ChangeAsync(string imageName, int number, Func<ImageVersion, SqliteTransaction, Task> change, CancellationToken cancellationToken) =>
        database.WriteAsync<VersionOutcome>(async (connection, transaction) =>
        {
            if (await InsideAsync(transaction, imageName, number) is not { } version)
                return await UnknownAsync(connection, transaction, imageName);
            await change(version, transaction);
            return new VersionOutcome.Done((await InsideAsync(transaction, imageName, number))!);
        }, cancellationToken);

    private async Task<List<KeepReason>> ReasonsToKeepAsync(SqliteTransaction transaction, ImageVersion version)
    {
        var reasons = new List<KeepReason>(holds.Of(version.Id));
        if (version.Pinned)
            reasons.Add(new KeepReason("versionPinned", $"Version {version.Number} of {version.ImageName} is pinned.", "Unpin it first."));
        foreach (var (task, job) in await HostTaskStore.ListActiveUsingAsync(transaction, version.Id))
            reasons.Add(InUse(version, task, job, "deploys"));
        foreach (var session in await SessionStore.ListOpenOfAsync(transaction, version.Id))
            reasons.Add(new KeepReason("versionInUse", $"Multicast session {session} carries version {version.Number} of {version.ImageName}.", $"Wait for it or stop it: POST /api/v1/sessions/{session}/stop."));
        if (version.TaskId is { } capturing && HostTaskStore.Find(transaction, capturing) is { FinishedAt: null } running)
            reasons.Add(InUse(version, running.Id, running.JobId, "has just sealed"));
        return reasons;
    }

    private static KeepReason InUse(ImageVersion version, long task, long job, string what) => new(
        "versionInUse", $"Task {task} of job {job} {what} version {version.Number} of {version.ImageName}.", $"Wait for it or cancel it: POST /api/v1/jobs/{job}/cancel.");

    private static async Task<VersionOutcome> UnknownAsync(SqliteConnection connection, SqliteTransaction transaction, string imageName) =>
        await connection.ExecuteScalarAsync<long?>("SELECT id FROM images WHERE name = @imageName", new { imageName }, transaction) is null
            ? new VersionOutcome.ImageUnknown()
            : new VersionOutcome.VersionUnknown();

    private static async Task<ImageVersion?> InsideAsync(SqliteTransaction transaction, string imageName, int number) =>
        await transaction.Connection!.QueryFirstOrDefaultAsync<Row>(
            $"{From} WHERE i.name = @imageName AND v.number = @number", new { imageName, number }, transaction) is { } row ? ToVersion(row) : null;

    private async Task<T> WriteDurablyAsync<T>(Func<SqliteConnection, SqliteTransaction, Task<T>> work, CancellationToken cancellationToken)
    {
        var result = await database.WriteDurablyAsync(work, cancellationToken);
        Interlocked.Increment(ref _changes);
        return result;
    }
}
