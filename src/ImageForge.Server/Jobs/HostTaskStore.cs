using Dapper;
using ImageForge.Contracts;
using ImageForge.Server.Data;
using Microsoft.Data.Sqlite;

namespace ImageForge.Server.Jobs;

/// <summary>Finds host tasks. Every change of state is in <c>HostTaskStore.Transitions.cs</c>.</summary>
internal sealed partial class HostTaskStore(Database database, TimeProvider time)
{
    private const string From = $"SELECT {HostTaskRow.Columns} FROM host_tasks t JOIN jobs j ON j.id = t.job_id ";
    private const string ActiveForHost = From + "WHERE t.host_id = @key AND t.state NOT IN ('succeeded', 'failed', 'cancelled')";

    /// <summary>The host's task between Queued and Finishing, if any; part of every boot question.</summary>
    public ValueTask<HostTask?> FindActiveForHostAsync(long hostId, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return ValueTask.FromResult(database.Prepared.First(ActiveForHost, hostId, HostTaskRow.Read));
    }

    public async ValueTask<HostTask?> FindAsync(long id, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        return Find(connection, null, id);
    }

    /// <summary>
    /// The task whose token hashes to <paramref name="sha256"/>, also after it ended: an agent repeats its result until it hears an answer.
    /// </summary>
    public async ValueTask<HostTask?> FindByTokenHashAsync(byte[] sha256, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        return First(connection, null, From + "WHERE t.task_token_hash = @key", sha256);
    }

    public Task<IReadOnlyList<HostTask>> ListForJobAsync(long jobId, CancellationToken cancellationToken) =>
        ListAsync(From + "WHERE t.job_id = @key ORDER BY t.id", jobId, cancellationToken);

    /// <summary>Newest first, at most <paramref name="limit"/>.</summary>
    public Task<IReadOnlyList<HostTask>> ListForHostAsync(long hostId, int limit, CancellationToken cancellationToken) =>
        ListAsync(From + $"WHERE t.host_id = @key ORDER BY t.id DESC LIMIT {limit}", hostId, cancellationToken);

    /// <summary>As <see cref="FindActiveForHostAsync"/>, inside a transaction.</summary>
    public static HostTask? FindActive(SqliteTransaction transaction, long hostId) =>
        First(transaction.Connection!, transaction, ActiveForHost, hostId);

    public static HostTask? Find(SqliteTransaction transaction, long id) => Find(transaction.Connection!, transaction, id);

    /// <summary>Tasks that have not ended and whose job uses this version.</summary>
    public static async Task<IReadOnlyList<(long TaskId, long JobId)>> ListActiveUsingAsync(SqliteTransaction transaction, long imageVersionId) =>
        [.. await transaction.Connection!.QueryAsync<(long, long)>(
            """
            SELECT t.id, t.job_id FROM jobs j JOIN host_tasks t ON t.job_id = j.id
            WHERE j.image_version_id = @imageVersionId AND t.state NOT IN ('succeeded', 'failed', 'cancelled') ORDER BY t.id
            """, new { imageVersionId }, transaction)];

    /// <summary>Captures into this image that have not ended.</summary>
    public static async Task<IReadOnlyList<(long TaskId, long JobId)>> ListActiveCapturesAsync(SqliteTransaction transaction, string imageName)
    {
        var rows = await transaction.Connection!.QueryAsync<(long TaskId, long JobId, string Parameters)>(
            """
            SELECT t.id, t.job_id, j.parameters FROM host_tasks t JOIN jobs j ON j.id = t.job_id
            WHERE t.state NOT IN ('succeeded', 'failed', 'cancelled') AND j.kind = @kind ORDER BY t.id
            """, new { kind = StoredName.Of(JobKind.Capture) }, transaction);
        return [.. rows.Where(r => JobParameters.FromJson(r.Parameters).ImageName == imageName).Select(static r => (r.TaskId, r.JobId))];
    }

    /// <summary>How many tasks of each job are in which state, with their bytes.</summary>
    public async Task<ILookup<long, TaskCount>> CountAsync(IEnumerable<long> jobIds, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        var rows = await connection.QueryAsync<(long Job, string State, int Count, long Done, long Total)>(
            "SELECT job_id, state, count(*), sum(bytes_done), sum(bytes_total) FROM host_tasks WHERE job_id IN @jobIds GROUP BY job_id, state", new { jobIds });
        return rows.ToLookup(r => r.Job, r => new TaskCount(StoredName.Parse<HostTaskState>(r.State), r.Count, r.Done, r.Total));
    }

    private async Task<IReadOnlyList<HostTask>> ListAsync(string sql, object key, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.Parameters.AddWithValue("@key", key);
        await using var row = command.ExecuteReader();
        var tasks = new List<HostTask>();
        while (row.Read())
            tasks.Add(HostTaskRow.Read(row));
        return tasks;
    }

    private static HostTask? Find(SqliteConnection connection, SqliteTransaction? transaction, long id) =>
        First(connection, transaction, From + "WHERE t.id = @key", id);

    private static HostTask? First(SqliteConnection connection, SqliteTransaction? transaction, string sql, object key)
    {
        using var command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = sql;
        command.Parameters.AddWithValue("@key", key);
        using var row = command.ExecuteReader();
        return row.Read() ? HostTaskRow.Read(row) : null;
    }
}
