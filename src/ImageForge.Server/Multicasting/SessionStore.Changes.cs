using Dapper;
using ImageForge.Server.Data;
using Microsoft.Data.Sqlite;

namespace ImageForge.Server.Multicasting;

/// <summary>What happens to a session in its life.</summary>
internal sealed partial class SessionStore
{
    /// <summary>A session that had ended goes on.</summary>
    public static async Task<SessionRow> ReopenAsync(SqliteTransaction transaction, SessionRow session)
    {
        await transaction.Connection!.ExecuteAsync(
            """
            UPDATE multicast_sessions SET state = CASE WHEN started_at IS NULL THEN 'waiting' ELSE 'running' END, ended_at = NULL, end_reason = NULL, end_text = NULL
            WHERE id = @Id
            """, new { session.Id }, transaction);
        return (await OneAsync(transaction.Connection!, transaction, "WHERE id = @Id", new { session.Id }))!;
    }

    /// <summary>
    /// A new sender begins: the next epoch, on the disk when this returns. Null: the session has ended meanwhile.
    /// </summary>
    public Task<SessionRow?> BeginEpochAsync(long id, CancellationToken cancellationToken) =>
        database.WriteDurablyAsync(async (connection, transaction) =>
            await connection.ExecuteAsync(
                "UPDATE multicast_sessions SET epoch = epoch + 1, first_host_at = COALESCE(first_host_at, @now) WHERE id = @id AND state <> 'ended'",
                new { id, now = time.NowMilliseconds() }, transaction) == 0
                ? null
                : await OneAsync(connection, transaction, "WHERE id = @id", new { id }), cancellationToken);
}
