using Dapper;
using ImageForge.Server.Data;
using Microsoft.Data.Sqlite;

namespace ImageForge.Server.Images;

/// <summary>The database's side of images: names and sealed versions.</summary>
internal sealed partial class ImageVersions(Database database, VersionHolds holds, TimeProvider time)
{
    private const string From =
        """
        SELECT v.id AS Id, v.image_id AS ImageId, i.name AS ImageName, v.number AS Number, v.manifest_hash AS ManifestHash, v.signature AS Signature,
            v.task_id AS TaskId, v.sealed_at AS SealedAt, v.disk_bytes AS DiskBytes, v.used_bytes AS UsedBytes, v.chunk_count AS ChunkCount, v.stored_bytes AS StoredBytes,
            v.new_bytes AS NewBytes, v.unique_bytes AS UniqueBytes, v.id = i.current_version_id AS Current, v.pinned AS Pinned,
            v.derived_from AS DerivedFromId, d.number AS DerivedFrom, v.damaged AS Damaged, v.verified_at AS VerifiedAt,
            (SELECT count(*) FROM version_faults f WHERE f.version_id = v.id) AS BadChunks
        FROM image_versions v JOIN images i ON i.id = v.image_id LEFT JOIN image_versions d ON d.id = v.derived_from
        """;

    public Task<ImageVersion?> FindAsync(long id, CancellationToken cancellationToken) =>
        OneAsync("WHERE v.id = @id", new { id }, cancellationToken);

    public Task<ImageVersion?> FindAsync(string imageName, int number, CancellationToken cancellationToken) =>
        OneAsync("WHERE i.name = @imageName AND v.number = @number", new { imageName, number }, cancellationToken);

    /// <summary>What a task has sealed already, by the manifest it sent: a repeated request gets the same version.</summary>
    public Task<ImageVersion?> FindSealedAsync(long taskId, string manifestHash, CancellationToken cancellationToken) =>
        OneAsync("WHERE v.task_id = @taskId AND v.manifest_hash = @manifestHash", new { taskId, manifestHash }, cancellationToken);

    public async Task<bool> HasSealedAsync(long taskId, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        return await connection.ExecuteScalarAsync<long>("SELECT EXISTS (SELECT 1 FROM image_versions WHERE task_id = @taskId)", new { taskId }) != 0;
    }

    /// <summary>Newest first; null: there is no such image.</summary>
    public async Task<IReadOnlyList<ImageVersion>?> ListAsync(string imageName, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        if (await connection.ExecuteScalarAsync<long?>("SELECT id FROM images WHERE name = @imageName", new { imageName }) is null)
            return null;
        return [.. (await connection.QueryAsync<Row>($"{From} WHERE i.name = @imageName ORDER BY v.number DESC", new { imageName })).Select(ToVersion)];
    }

    /// <summary>By name.</summary>
    public async Task<Page<ImageListing>> ListImagesAsync(Paging paging, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        var rows = await connection.QueryAsync<(string Name, string? Description, long CreatedAt, long Versions, long? Newest, long? Current, long? KeepLast, long? SealedAt, long? Disk, long? Used, long? Stored)>(
            """
            SELECT i.name, i.description, i.created_at, count(v.id), max(v.number),
                (SELECT number FROM image_versions c WHERE c.id = i.current_version_id), i.keep_last, v.sealed_at, v.disk_bytes, v.used_bytes, v.stored_bytes
            FROM images i LEFT JOIN image_versions v ON v.image_id = i.id GROUP BY i.id ORDER BY i.name LIMIT @Limit OFFSET @Offset
            """, paging);
        var total = await connection.ExecuteScalarAsync<int>("SELECT count(*) FROM images");
        // SQLite: bare columns beside max() come from the row that has the maximum.
        return new Page<ImageListing>(
            [.. rows.Select(r => new ImageListing(r.Name, r.Description, r.CreatedAt.ToTime(), (int)r.Versions, (int?)r.Newest, (int?)r.Current, (int?)r.KeepLast, r.SealedAt.ToTime(), r.Disk, r.Used, r.Stored))], total);
    }

    /// <summary>
    /// Adds the next version of an image, which is created when its name is new. The same manifest of the same task is added once.
    /// On the disk when it returns: the agent is told that its image is safe. Null: the task has ended, and what it sent may be swept.
    /// </summary>
    public Task<ImageVersion?> AddAsync(NewVersion version, CancellationToken cancellationToken) =>
        WriteDurablyAsync<ImageVersion?>(async (connection, transaction) =>
        {
            var sealedBefore = await connection.QuerySingleOrDefaultAsync<Row>(
                $"{From} WHERE v.task_id = @TaskId AND v.manifest_hash = @ManifestHash", version, transaction);
            if (sealedBefore is not null)
                return ToVersion(sealedBefore);
            if (await connection.ExecuteScalarAsync<long>(
                "SELECT EXISTS (SELECT 1 FROM host_tasks WHERE id = @TaskId AND state IN ('succeeded', 'failed', 'cancelled'))", version, transaction) != 0)
                return null;
            var now = time.NowMilliseconds();
            await connection.ExecuteAsync(
                "INSERT INTO images (name, created_at) VALUES (@ImageName, @now) ON CONFLICT (name) DO NOTHING", new { version.ImageName, now }, transaction);
            var id = await connection.ExecuteScalarAsync<long>(
                """
                INSERT INTO image_versions (image_id, number, manifest_hash, signature, task_id, sealed_at, disk_bytes, used_bytes, chunk_count, stored_bytes,
                    new_bytes, derived_from, damaged)
                SELECT i.id, max(i.last_number, COALESCE((SELECT max(number) FROM image_versions WHERE image_id = i.id), 0)) + 1,
                    @ManifestHash, @Signature, @TaskId, @now, @DiskBytes, @UsedBytes, @ChunkCount, @StoredBytes, @NewBytes, @DerivedFrom, @Damaged
                FROM images i WHERE i.name = @ImageName RETURNING id
                """,
                new
                {
                    version.ImageName,
                    version.ManifestHash,
                    version.Signature,
                    version.TaskId,
                    now,
                    version.DiskBytes,
                    version.UsedBytes,
                    version.ChunkCount,
                    version.StoredBytes,
                    version.NewBytes,
                    version.DerivedFrom,
                    version.Damaged,
                }, transaction);
            // What was captured whole is what people want to deploy from now on; a version with holes or a variant for small disks never is by itself.
            await connection.ExecuteAsync(
                """
                UPDATE images SET last_number = (SELECT number FROM image_versions WHERE id = @id),
                    current_version_id = CASE WHEN current_version_id IS NULL OR (@Damaged IS NULL AND @DerivedFrom IS NULL) THEN @id ELSE current_version_id END
                WHERE name = @ImageName
                """, new { id, version.ImageName, version.Damaged, version.DerivedFrom }, transaction);
            return ToVersion(await connection.QuerySingleAsync<Row>($"{From} WHERE v.id = @id", new { id }, transaction));
        }, cancellationToken);

    private async Task<ImageVersion?> OneAsync(string where, object values, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        return await connection.QueryFirstOrDefaultAsync<Row>($"{From} {where}", values) is { } row ? ToVersion(row) : null;
    }

    private static ImageVersion ToVersion(Row row) => new(
        row.Id, row.ImageId, row.ImageName, (int)row.Number, row.ManifestHash, row.Signature, row.TaskId, row.SealedAt.ToTime(),
        row.DiskBytes, row.UsedBytes, row.ChunkCount, row.StoredBytes, row.NewBytes, row.UniqueBytes, row.Current is 1, row.Pinned != 0,
        row.DerivedFromId, (int?)row.DerivedFrom, row.Damaged, row.VerifiedAt.ToTime(), row.BadChunks);

    private sealed class Row
    {
        public long Id { get; init; }
        public long ImageId { get; init; }
        public string ImageName { get; init; } = "";
        public long Number { get; init; }
        public string ManifestHash { get; init; } = "";
        public byte[] Signature { get; init; } = [];
        public long? TaskId { get; init; }
        public long SealedAt { get; init; }
        public long DiskBytes { get; init; }
        public long UsedBytes { get; init; }
        public long ChunkCount { get; init; }
        public long StoredBytes { get; init; }
        public long? NewBytes { get; init; }
        public long? UniqueBytes { get; init; }
        public long? Current { get; init; }
        public long Pinned { get; init; }
        public long? DerivedFromId { get; init; }
        public long? DerivedFrom { get; init; }
        public string? Damaged { get; init; }
        public long? VerifiedAt { get; init; }
        public long BadChunks { get; init; }
    }
}

/// <summary>What a seal adds; the fields are those of <see cref="ImageVersion"/>.</summary>
/// <param name="DerivedFrom">Id of the version it was made from; null: it was captured.</param>
/// <param name="Damaged">JSON list of what could not be read; null: everything was.</param>
internal sealed record NewVersion(
    string ImageName, string ManifestHash, byte[] Signature, long TaskId, long DiskBytes, long UsedBytes, long ChunkCount, long StoredBytes,
    long? NewBytes = null, long? DerivedFrom = null, string? Damaged = null);
