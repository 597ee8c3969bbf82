using Dapper;
using ImageForge.Imaging.Chunks;
using ImageForge.Server.Data;
using Microsoft.Data.Sqlite;

namespace ImageForge.Server.ImageStore;

/// <summary>
/// What a running capture relies on: recorded before the server answers <em>held</em>, kept until its version is sealed or
/// the task has ended. Whoever removes unreferenced chunks leaves leased ones alone.
/// </summary>
internal sealed class ChunkLeases(Database database)
{
    public Task RecordAsync(long taskId, IReadOnlyList<ChunkId> ids, CancellationToken cancellationToken) =>
        database.WriteAsync(async (connection, transaction) =>
        {
            // One prepared statement: a batch has thousands of ids.
            await using var insert = connection.CreateCommand();
            insert.Transaction = transaction;
            insert.CommandText = "INSERT OR IGNORE INTO chunk_leases (task_id, chunk_id) VALUES ($task, $id)";
            insert.Parameters.AddWithValue("$task", taskId);
            var value = insert.Parameters.Add("$id", SqliteType.Blob);
            await insert.PrepareAsync(cancellationToken);
            foreach (var id in ids)
            {
                value.Value = id.ToArray();
                await insert.ExecuteNonQueryAsync(cancellationToken);
            }
        }, cancellationToken);

    public async ValueTask<bool> HasAsync(long taskId, ChunkId id, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        return await connection.ExecuteScalarAsync<long>(
            "SELECT EXISTS (SELECT 1 FROM chunk_leases WHERE task_id = @taskId AND chunk_id = @id)", new { taskId, id = id.ToArray() }) != 0;
    }

    /// <summary>Tasks that hold a lease.</summary>
    public async Task<IReadOnlyList<long>> TasksAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        return [.. await connection.QueryAsync<long>("SELECT DISTINCT task_id FROM chunk_leases")];
    }

    public Task ReleaseAsync(long taskId, CancellationToken cancellationToken, SqliteTransaction? joined = null) =>
        database.WriteAsync(joined, (connection, transaction) =>
            connection.ExecuteAsync("DELETE FROM chunk_leases WHERE task_id = @taskId", new { taskId }, transaction), cancellationToken);
}
