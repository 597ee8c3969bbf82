using Dapper;
using ImageForge.Contracts;
using ImageForge.Server.Data;
using Microsoft.Data.Sqlite;

namespace ImageForge.Server.Multicasting;

/// <summary>Sessions in the database.</summary>
internal sealed partial class SessionStore(Database database, TimeProvider time)
{
    private const string From =
        """
        SELECT id AS Id, version_id AS VersionId, image_name AS ImageName, version_number AS VersionNumber, job_id AS JobId, start_rule AS StartRule,
            wait_for_hosts AS WaitForHosts, wait_seconds AS WaitSeconds, state AS State, epoch AS Epoch, created_at AS CreatedAt, first_host_at AS FirstHostAt,
            started_at AS StartedAt, ended_at AS EndedAt, end_reason AS EndReason, end_text AS EndText,
            bytes_sent AS BytesSent, repair_bytes AS RepairBytes
        FROM multicast_sessions
        """;

    public async Task<SessionRow?> FindAsync(long id, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        return await OneAsync(connection, null, "WHERE id = @id", new { id });
    }

    /// <summary>Newest first.</summary>
    public async Task<Page<SessionRow>> ListAsync(Paging paging, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        var total = await connection.ExecuteScalarAsync<long>("SELECT count(*) FROM multicast_sessions");
        var rows = await connection.QueryAsync<Row>($"{From} ORDER BY id DESC LIMIT @Limit OFFSET @Offset", paging);
        return new Page<SessionRow>([.. rows.Select(ToSession)], total);
    }

    public async Task<IReadOnlyList<SessionRow>> ListOpenAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        return [.. (await connection.QueryAsync<Row>($"{From} WHERE state <> 'ended' ORDER BY id")).Select(ToSession)];
    }

    /// <summary>Sessions that carry this version and have not ended: it must not be deleted.</summary>
    public static async Task<IReadOnlyList<long>> ListOpenOfAsync(SqliteTransaction transaction, long versionId) =>
        [.. await transaction.Connection!.QueryAsync<long>(
            "SELECT id FROM multicast_sessions WHERE version_id = @versionId AND state <> 'ended' ORDER BY id", new { versionId }, transaction)];

    /// <summary>A scheduled-cast's only session.</summary>
    public static Task<SessionRow?> OfJobAsync(SqliteTransaction transaction, long jobId) =>
        OneAsync(transaction.Connection!, transaction, "WHERE job_id = @jobId", new { jobId });

    /// <summary>The auto-cast of a version that has not ended.</summary>
    public static Task<SessionRow?> OpenAutoAsync(SqliteTransaction transaction, long versionId) =>
        OneAsync(transaction.Connection!, transaction, "WHERE version_id = @versionId AND job_id IS NULL AND state <> 'ended'", new { versionId });

    /// <summary>Whether an auto-cast of the version was stopped by somebody at or after a moment.</summary>
    public static async Task<bool> WasStoppedSinceAsync(SqliteTransaction transaction, long versionId, DateTimeOffset moment) =>
        await transaction.Connection!.ExecuteScalarAsync<long>(
            "SELECT EXISTS (SELECT 1 FROM multicast_sessions WHERE version_id = @versionId AND job_id IS NULL AND end_reason = 'stopped' AND ended_at >= @at)",
            new { versionId, at = moment.ToUnixTimeMilliseconds() }, transaction) != 0;

    public async Task<SessionRow> AddAsync(SqliteTransaction transaction, NewSession session)
    {
        var connection = transaction.Connection!;
        var id = await connection.ExecuteScalarAsync<long>(
            """
            INSERT INTO multicast_sessions (version_id, image_name, version_number, job_id, start_rule, wait_for_hosts, wait_seconds, state, created_at)
            VALUES (@VersionId, @ImageName, @VersionNumber, @JobId, @rule, @WaitForHosts, @WaitSeconds, 'waiting', @now) RETURNING id
            """,
            new
            {
                session.VersionId,
                session.ImageName,
                session.VersionNumber,
                session.JobId,
                rule = StoredName.Of(session.StartRule),
                session.WaitForHosts,
                session.WaitSeconds,
                now = time.NowMilliseconds(),
            }, transaction);
        return (await OneAsync(connection, transaction, "WHERE id = @id", new { id }))!;
    }

    private static async Task<SessionRow?> OneAsync(SqliteConnection connection, SqliteTransaction? transaction, string where, object values) =>
        await connection.QueryFirstOrDefaultAsync<Row>($"{From} {where}", values, transaction) is { } row ? ToSession(row) : null;

    private static SessionRow ToSession(Row row) => new(
        row.Id, row.VersionId, row.ImageName, (int)row.VersionNumber, row.JobId, StoredName.Parse<MulticastStart>(row.StartRule), (int?)row.WaitForHosts,
        (int?)row.WaitSeconds, StoredName.Parse<SessionState>(row.State), (uint)row.Epoch, row.CreatedAt.ToTime(), row.FirstHostAt.ToTime(), row.StartedAt.ToTime(),
        row.EndedAt.ToTime(), row.EndReason is { } reason ? StoredName.Parse<SessionEnd>(reason) : null, row.EndText, row.BytesSent, row.RepairBytes);

    private sealed class Row
    {
        public long Id { get; init; }
        public long? VersionId { get; init; }
        public string ImageName { get; init; } = "";
        public long VersionNumber { get; init; }
        public long? JobId { get; init; }
        public string StartRule { get; init; } = "";
        public long? WaitForHosts { get; init; }
        public long? WaitSeconds { get; init; }
        public string State { get; init; } = "";
        public long Epoch { get; init; }
        public long CreatedAt { get; init; }
        public long? FirstHostAt { get; init; }
        public long? StartedAt { get; init; }
        public long? EndedAt { get; init; }
        public string? EndReason { get; init; }
        public string? EndText { get; init; }
        public long BytesSent { get; init; }
        public long RepairBytes { get; init; }
    }
}

/// <summary>What begins a session; the fields are those of <see cref="SessionRow"/>.</summary>
internal sealed record NewSession(
    long VersionId, string ImageName, int VersionNumber, long? JobId, MulticastStart StartRule, int? WaitForHosts, int? WaitSeconds);
