using Dapper;
using ImageForge.Server.Boot;
using ImageForge.Server.Data;
using Microsoft.Data.Sqlite;

namespace ImageForge.Server.Agents;

/// <summary>
/// What an accepted check-in was told, by its boot token, without the task token: a repeated check-in gets the same bytes even if the host
/// was renamed or the server restarted in between.
/// </summary>
internal sealed class CheckInRecords(TimeProvider time)
{
    private static readonly TimeSpan Kept = TimeSpan.FromHours(1);

    /// <param name="Assignment">The task assignment in JSON.</param>
    internal sealed record CheckInRecord(bool Resumed, string Assignment);

    public async Task SaveAsync(SqliteConnection connection, SqliteTransaction transaction, string bootToken, long taskId, CheckInRecord record)
    {
        var now = time.NowMilliseconds();
        await connection.ExecuteAsync("DELETE FROM check_ins WHERE at < @old", new { old = now - (long)Kept.TotalMilliseconds }, transaction);
        await connection.ExecuteAsync(
            "INSERT OR REPLACE INTO check_ins (boot_token_hash, task_id, at, resumed, assignment) VALUES (@hash, @taskId, @now, @Resumed, @Assignment)",
            new { hash = BootTokens.Hash(bootToken), taskId, now, record.Resumed, record.Assignment }, transaction);
    }

    /// <summary>Forgets what the agents of a task were told.</summary>
    public static Task ForgetTaskAsync(long taskId, SqliteTransaction transaction) =>
        transaction.Connection!.ExecuteAsync("DELETE FROM check_ins WHERE task_id = @taskId", new { taskId }, transaction);

    public static async Task<CheckInRecord?> FindAsync(SqliteConnection connection, SqliteTransaction transaction, string bootToken)
    {
        var (found, resumed, assignment) = await connection.QuerySingleOrDefaultAsync<(long Found, long Resumed, string? Assignment)>(
            "SELECT 1, resumed, assignment FROM check_ins WHERE boot_token_hash = @hash", new { hash = BootTokens.Hash(bootToken) }, transaction);
        return found == 0 ? null : new CheckInRecord(resumed != 0, assignment!);
    }
}
