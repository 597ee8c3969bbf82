using Dapper;
using ImageForge.Server.Data;

namespace ImageForge.Server.Jobs;

internal sealed partial class HostTaskStore
{
    /// <summary>A sign of life that says nothing else.</summary>
    public Task HeardAsync(long taskId, CancellationToken cancellationToken) =>
        database.WriteAsync((connection, transaction) =>
            connection.ExecuteAsync("UPDATE host_tasks SET last_heard_at = @now WHERE id = @taskId", new { taskId, now = time.NowMilliseconds() }, transaction), cancellationToken);

    /// <summary>A line in the task's history that changes nothing.</summary>
    public Task NoteAsync(long taskId, string text, CancellationToken cancellationToken) =>
        database.WriteAsync(async (connection, transaction) =>
        {
            if (Find(connection, transaction, taskId) is { } task)
                await WriteEventAsync(connection, transaction, taskId, task.State, text);
        }, cancellationToken);

    /// <summary>Which of these tasks have ended, are gone or are to be cancelled: whatever works for them has to stop.</summary>
    public async Task<IReadOnlyList<long>> ListEndingAsync(IReadOnlyList<long> taskIds, CancellationToken cancellationToken)
    {
        if (taskIds.Count == 0)
            return [];
        await using var connection = await database.OpenAsync(cancellationToken);
        return [.. taskIds.Except(await connection.QueryAsync<long>(
            "SELECT id FROM host_tasks WHERE id IN @taskIds AND cancel_requested = 0 AND state NOT IN ('succeeded', 'failed', 'cancelled')", new { taskIds }))];
    }

    /// <summary>Tasks of a job that have not ended.</summary>
    public async Task<int> CountActiveAsync(long jobId, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        return await connection.ExecuteScalarAsync<int>(
            "SELECT count(*) FROM host_tasks WHERE job_id = @jobId AND cancel_requested = 0 AND state NOT IN ('succeeded', 'failed', 'cancelled')", new { jobId });
    }
}
