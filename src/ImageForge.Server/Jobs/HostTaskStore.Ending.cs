using Dapper;
using ImageForge.Contracts;
using ImageForge.Server.Agents;
using ImageForge.Server.Boot;
using ImageForge.Server.Data;
using ImageForge.Server.ImageStore;
using Microsoft.Data.Sqlite;

namespace ImageForge.Server.Jobs;

/// <summary>What asking to cancel a task led to.</summary>
internal enum CancelOutcome
{
    /// <summary>No agent was at work: it is Cancelled now.</summary>
    Cancelled,

    /// <summary>The agent hears it with its next progress report and ends the task.</summary>
    Requested,

    /// <summary>It had ended before.</summary>
    Ended,

    NotFound,
}

internal sealed partial class HostTaskStore
{
    /// <summary>Cancels on behalf of <paramref name="by"/>, a person's or token's name.</summary>
    public Task<CancelOutcome> CancelAsync(long taskId, string by, CancellationToken cancellationToken, SqliteTransaction? joined = null) =>
        database.WriteAsync(joined, async (connection, transaction) =>
        {
            var task = Find(connection, transaction, taskId);
            if (task is null)
                return CancelOutcome.NotFound;
            if (task.State.IsFinal())
                return CancelOutcome.Ended;
            if (!task.CancelRequested)
                await connection.ExecuteAsync("UPDATE host_tasks SET cancel_requested = 1 WHERE id = @taskId", new { taskId }, transaction);
            if (task.State < HostTaskState.CheckedIn)
            {
                // A machine that is booting right now is turned away at its check-in.
                await EndAsync(connection, transaction, task, HostTaskState.Cancelled, null, $"Cancelled by {by} before the agent was at work");
                return CancelOutcome.Cancelled;
            }
            if (!task.CancelRequested)
                await WriteEventAsync(connection, transaction, taskId, task.State, $"{by} asked to cancel; the agent will be told");
            return CancelOutcome.Requested;
        }, cancellationToken);

    /// <summary>Nothing works on the task any more that was to be cancelled: it has ended.</summary>
    public Task<Transition> ConfirmCancelAsync(long taskId, string text, CancellationToken cancellationToken, SqliteTransaction? joined = null) =>
        database.WriteAsync(joined, async (connection, transaction) =>
            Find(connection, transaction, taskId) is { } task
                ? await EndAsync(connection, transaction, task, HostTaskState.Cancelled, null, text)
                : Transition.NotFound, cancellationToken);

    /// <summary>Ends tasks that are to be cancelled and whose agent has not been heard for <paramref name="silentAfter"/>. Returns how many.</summary>
    /// <remarks>A time in the future, after the clock was set back, is no sign of life.</remarks>
    public Task<int> EndSilentCancelledAsync(TimeSpan silentAfter, CancellationToken cancellationToken) =>
        database.WriteAsync(async (connection, transaction) =>
        {
            var ids = (await connection.QueryAsync<long>(
                """
                SELECT id FROM host_tasks WHERE cancel_requested = 1 AND state NOT IN ('succeeded', 'failed', 'cancelled')
                AND COALESCE(last_heard_at, 0) NOT BETWEEN @before AND @now
                """, new { before = (time.GetUtcNow() - silentAfter).ToUnixTimeMilliseconds(), now = time.NowMilliseconds() }, transaction)).ToList();
            foreach (var id in ids)
            {
                if (Find(connection, transaction, id) is { } task)
                    await EndAsync(connection, transaction, task, HostTaskState.Cancelled, null, "Cancelled; the agent has gone silent");
            }
            return ids.Count;
        }, cancellationToken);

    /// <summary>
    /// Forgets the history of a host that is to be deleted, in every table that knows its tasks: a boot token or lease left behind must not
    /// speak for anything later. False: it has an unfinished task, nothing was done.
    /// </summary>
    public static async Task<bool> ForgetHostAsync(long hostId, BootTokens bootTokens, ChunkLeases leases, SqliteTransaction transaction, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var connection = transaction.Connection!;
        if (First(connection, transaction, From + "WHERE t.host_id = @key AND t.state NOT IN ('succeeded', 'failed', 'cancelled')", hostId) is not null)
            return false;
        foreach (var taskId in await connection.QueryAsync<long>("SELECT id FROM host_tasks WHERE host_id = @hostId", new { hostId }, transaction))
        {
            await bootTokens.RevokeForTaskAsync(taskId, null, cancellationToken, transaction);
            await leases.ReleaseAsync(taskId, cancellationToken, transaction);
            await CheckInRecords.ForgetTaskAsync(taskId, transaction);
        }
        await connection.ExecuteAsync(
            """
            DELETE FROM host_task_events WHERE task_id IN (SELECT id FROM host_tasks WHERE host_id = @hostId);
            DELETE FROM host_tasks WHERE host_id = @hostId;
            """, new { hostId }, transaction);
        return true;
    }

    /// <summary>The task's history, oldest first.</summary>
    public async Task<IReadOnlyList<HostTaskEvent>> ListEventsAsync(long taskId, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        var rows = await connection.QueryAsync<(long At, string State, string Text)>(
            "SELECT at, state, text FROM host_task_events WHERE task_id = @taskId ORDER BY id", new { taskId });
        return [.. rows.Select(r => new HostTaskEvent(r.At.ToTime(), StoredName.Parse<HostTaskState>(r.State), r.Text))];
    }
}
