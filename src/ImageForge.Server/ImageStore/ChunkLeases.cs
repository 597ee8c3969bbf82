using Dapper;
using ImageForge.Imaging.Chunks;
using ImageForge.Server.Data;
using Microsoft.Data.Sqlite;

namespace ImageForge.Server.ImageStore;

/// <summary>
/// What a running capture relies on: recorded before the server answers <em>held</em>, kept until its version is sealed, the task has ended
/// or the lease has expired. Whoever removes unreferenced chunks leaves leased ones alone.
/// </summary>
internal sealed class ChunkLeases(Database database) : IChunkRoots
{
    // One step of the primary key per task; DISTINCT would read every lease.
    private const string Holders =
        """
        WITH RECURSIVE holder (id) AS (
            SELECT min(task_id) FROM chunk_leases
            UNION ALL SELECT (SELECT min(task_id) FROM chunk_leases WHERE task_id > holder.id) FROM holder WHERE holder.id IS NOT NULL)
        """;

    /// <param name="lacked">For each id whether the store lacked it before this question; null: nobody looked.</param>
    public Task RecordAsync(long taskId, IReadOnlyList<ChunkId> ids, CancellationToken cancellationToken, IReadOnlyList<bool>? lacked = null) =>
        database.WriteAsync(async (connection, transaction) =>
        {
            // One prepared statement: a batch has thousands of ids. What was lacking at the first question was sent by this task.
            await using var insert = connection.CreateCommand();
            insert.Transaction = transaction;
            insert.CommandText = "INSERT OR IGNORE INTO chunk_leases (task_id, chunk_id, lacked) VALUES ($task, $id, $lacked)";
            insert.Parameters.AddWithValue("$task", taskId);
            var value = insert.Parameters.Add("$id", SqliteType.Blob);
            var flag = insert.Parameters.Add("$lacked", SqliteType.Integer);
            await insert.PrepareAsync(cancellationToken);
            for (var i = 0; i < ids.Count; i++)
            {
                value.Value = ids[i].ToArray();
                flag.Value = lacked is not null && lacked[i] ? 1 : 0;
                await insert.ExecuteNonQueryAsync(cancellationToken);
            }
        }, cancellationToken);

    public async ValueTask<bool> HasAsync(long taskId, ChunkId id, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        return await connection.ExecuteScalarAsync<long>(
            "SELECT EXISTS (SELECT 1 FROM chunk_leases WHERE task_id = @taskId AND chunk_id = @id)", new { taskId, id = id.ToArray() }) != 0;
    }

    /// <summary>Compares what a task has leased with what it wants to seal.</summary>
    /// <param name="ids">Ascending and different.</param>
    /// <returns>Those without a lease, and for each id whether the store had lacked it.</returns>
    public async Task<(IReadOnlyList<ChunkId> Unleased, bool[] Lacked)> CompareAsync(long taskId, IReadOnlyList<ChunkId> ids, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = connection.CreateCommand();
        command.CommandText = "SELECT chunk_id, lacked FROM chunk_leases WHERE task_id = $task ORDER BY chunk_id";
        command.Parameters.AddWithValue("$task", taskId);
        using var row = command.ExecuteReader();
        var unleased = new List<ChunkId>();
        var lacked = new bool[ids.Count];
        var id = new byte[ChunkId.Size];
        var more = Next();
        for (var i = 0; i < ids.Count; i++)
        {
            while (more && new ChunkId(id) < ids[i])
                more = Next();
            if (more && new ChunkId(id) == ids[i])
                lacked[i] = row.GetInt64(1) != 0;
            else
                unleased.Add(ids[i]);
        }
        return (unleased, lacked);

        bool Next()
        {
            cancellationToken.ThrowIfCancellationRequested();
            return row.Read() && row.GetBytes(0, 0, id, 0, ChunkId.Size) == ChunkId.Size;
        }
    }

    public async Task KeepAsync(IReadOnlyList<ChunkId> candidates, HashSet<ChunkId> kept, CancellationToken cancellationToken)
    {
        if (candidates.Count == 0)
            return;
        await using var connection = await database.OpenAsync(cancellationToken);
        var leased = await connection.QueryAsync<byte[]>(
            $"{Holders} SELECT l.chunk_id FROM holder CROSS JOIN chunk_leases l ON l.task_id = holder.id AND l.chunk_id BETWEEN @first AND @last",
            new { first = candidates[0].ToArray(), last = candidates[^1].ToArray() });
        kept.UnionWith(leased.Select(static id => new ChunkId(id)));
    }

    /// <summary>Tasks that hold a lease.</summary>
    public async Task<IReadOnlyList<long>> TasksAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        return [.. await connection.QueryAsync<long>($"{Holders} SELECT id FROM holder WHERE id IS NOT NULL")];
    }

    /// <summary>Returns how many leases that were.</summary>
    public Task<int> ReleaseAsync(long taskId, CancellationToken cancellationToken, SqliteTransaction? joined = null) =>
        database.WriteAsync(joined, (connection, transaction) =>
            connection.ExecuteAsync("DELETE FROM chunk_leases WHERE task_id = @taskId", new { taskId }, transaction), cancellationToken);
}
