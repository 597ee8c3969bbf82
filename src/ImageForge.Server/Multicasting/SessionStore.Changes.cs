using Dapper;
using ImageForge.Server.Data;
using Microsoft.Data.Sqlite;

namespace ImageForge.Server.Multicasting;

/// <summary>What happens to a session in its life.</summary>
internal sealed partial class SessionStore
{
    /// <summary>A session that had ended goes on. One that had not begun waits anew from its next first machine.</summary>
    public static async Task<SessionRow> ReopenAsync(SqliteTransaction transaction, SessionRow session)
    {
        await transaction.Connection!.ExecuteAsync(
            """
            UPDATE multicast_sessions SET state = CASE WHEN started_at IS NULL THEN 'waiting' ELSE 'running' END,
                first_host_at = CASE WHEN started_at IS NULL THEN NULL ELSE first_host_at END, ended_at = NULL, end_reason = NULL, end_text = NULL
            WHERE id = @Id
            """, new { session.Id }, transaction);
        return (await OneAsync(transaction.Connection!, transaction, "WHERE id = @Id", new { session.Id }))!;
    }

    /// <summary>
    /// A new sender begins: the next epoch, on the disk when this returns, so that not even a power cut makes two senders of one epoch.
    /// Null: the session has ended meanwhile.
    /// </summary>
    public Task<SessionRow?> BeginEpochAsync(long id, CancellationToken cancellationToken) =>
        database.WriteDurablyAsync(async (connection, transaction) =>
            await connection.ExecuteAsync(
                "UPDATE multicast_sessions SET epoch = epoch + 1, first_host_at = COALESCE(first_host_at, @now) WHERE id = @id AND state <> 'ended'",
                new { id, now = time.NowMilliseconds() }, transaction) == 0
                ? null
                : await OneAsync(connection, transaction, "WHERE id = @id", new { id }), cancellationToken);

    /// <summary>It sends, or will with its next machine. False: it did before, or has ended.</summary>
    public Task<bool> MarkStartedAsync(long id, CancellationToken cancellationToken) =>
        database.WriteAsync(async (connection, transaction) => await connection.ExecuteAsync(
            "UPDATE multicast_sessions SET state = 'running', started_at = @now WHERE id = @id AND state = 'waiting'",
            new { id, now = time.NowMilliseconds() }, transaction) > 0, cancellationToken);

    /// <param name="epoch">The sender makes a new key by itself before its sequence is used up.</param>
    /// <param name="bytesSent">Since <see cref="SaveCountersAsync"/> was last called for the session.</param>
    public Task SaveCountersAsync(long id, uint epoch, long bytesSent, long repairBytes, CancellationToken cancellationToken) =>
        database.WriteAsync((connection, transaction) => connection.ExecuteAsync(
            "UPDATE multicast_sessions SET epoch = max(epoch, @epoch), bytes_sent = bytes_sent + @bytesSent, repair_bytes = repair_bytes + @repairBytes WHERE id = @id",
            new { id, epoch = (long)epoch, bytesSent, repairBytes }, transaction), cancellationToken);

    /// <summary>False: it had ended before.</summary>
    public Task<bool> EndAsync(long id, SessionEnd reason, string? text, CancellationToken cancellationToken) =>
        database.WriteAsync(async (connection, transaction) => await connection.ExecuteAsync(
            "UPDATE multicast_sessions SET state = 'ended', ended_at = @now, end_reason = @reason, end_text = @text WHERE id = @id AND state <> 'ended'",
            new { id, now = time.NowMilliseconds(), reason = StoredName.Of(reason), text }, transaction) > 0, cancellationToken);

    /// <summary>Ends sessions that nobody can join any more: no task of the version, for a scheduled-cast of the job, is under way. Returns their ids.</summary>
    /// <param name="spared">Sessions with a sender.</param>
    public Task<IReadOnlyList<long>> EndForsakenAsync(IReadOnlyCollection<long> spared, CancellationToken cancellationToken) =>
        database.WriteAsync<IReadOnlyList<long>>(async (connection, transaction) => [.. await connection.QueryAsync<long>(
            """
            UPDATE multicast_sessions SET state = 'ended', ended_at = @now, end_reason = 'done'
            WHERE state <> 'ended' AND id NOT IN @spared AND NOT EXISTS (
                SELECT 1 FROM jobs j JOIN host_tasks t ON t.job_id = j.id
                WHERE j.image_version_id = multicast_sessions.version_id AND COALESCE(multicast_sessions.job_id, j.id) = j.id
                AND t.state NOT IN ('succeeded', 'failed', 'cancelled'))
            RETURNING id
            """, new { now = time.NowMilliseconds(), spared }, transaction)], cancellationToken);
}
