using System.Globalization;
using System.Text.Json;
using Dapper;
using ImageForge.Contracts;
using ImageForge.Server.Data;
using Microsoft.Data.Sqlite;

namespace ImageForge.Server.Jobs;

/// <summary>What a check-in led to.</summary>
internal enum CheckInOutcome
{
    CheckedIn,

    /// <summary>The fifth resume in a row without progress was already used up: the task is now Failed with <c>noProgress</c>.</summary>
    NoProgress,

    /// <summary>The task has ended, or somebody asked to cancel it.</summary>
    Ended,

    NotFound,
}

internal sealed partial class HostTaskStore
{
    public const int MaxResumesWithoutProgress = 5;

    /// <summary>A new task of a job being written.</summary>
    public async Task QueueAsync(SqliteTransaction transaction, long jobId, long hostId, string text)
    {
        var connection = transaction.Connection!;
        var id = await connection.ExecuteScalarAsync<long>(
            "INSERT INTO host_tasks (job_id, host_id, state, created_at) VALUES (@jobId, @hostId, 'queued', @now) RETURNING id",
            new { jobId, hostId, now = time.NowMilliseconds() }, transaction);
        await WriteEventAsync(connection, transaction, id, HostTaskState.Queued, text);
    }

    /// <summary>Moves a task and writes its event in the same transaction.</summary>
    public Task<Transition> MoveAsync(long taskId, HostTaskState to, string text, CancellationToken cancellationToken, SqliteTransaction? joined = null) =>
        database.WriteAsync(joined, (connection, transaction) => MoveAsync(connection, transaction, taskId, to, text), cancellationToken);

    /// <summary>
    /// Takes an agent in. <paramref name="newTokenHash"/> replaces the token of an earlier agent in the same transaction, so two can never work on one task.
    /// </summary>
    public Task<CheckInOutcome> CheckInAsync(
        long taskId, byte[] newTokenHash, string? uuid, string? serial, string? targetDisk, bool resumed, SqliteTransaction? joined, CancellationToken cancellationToken) =>
        database.WriteAsync(joined, async (connection, transaction) =>
        {
            var task = Find(connection, transaction, taskId);
            if (task is null)
                return CheckInOutcome.NotFound;
            if (task.State.IsFinal() || task.CancelRequested)
                return CheckInOutcome.Ended;
            var (mark, markBefore) = await connection.QuerySingleAsync<(long, long)>(
                "SELECT progress_mark, progress_mark_at_check_in FROM host_tasks WHERE id = @taskId", new { taskId }, transaction);
            var inVain = !resumed || mark > markBefore ? 0 : task.ResumesWithoutProgress + 1;
            if (inVain > MaxResumesWithoutProgress)
            {
                await EndAsync(connection, transaction, task, HostTaskState.Failed, new Failure("noProgress", Fault.Disk,
                    $"The agent started {MaxResumesWithoutProgress + 1} times without getting any further.",
                    "Read the events of this task and the machine's screen, check its disk, memory and power, then order the job again."), null);
                return CheckInOutcome.NoProgress;
            }
            await connection.ExecuteAsync(
                """
                UPDATE host_tasks SET task_token_hash = @newTokenHash, checked_in_uuid = @uuid, checked_in_serial = @serial,
                    target_disk = COALESCE(@targetDisk, target_disk), last_heard_at = @now, started_at = COALESCE(started_at, @now),
                    resumes_without_progress = @inVain, progress_mark_at_check_in = progress_mark
                WHERE id = @taskId
                """, new { taskId, newTokenHash, uuid, serial, targetDisk, inVain, now = time.NowMilliseconds() }, transaction);
            var text = !resumed ? "The agent checked in"
                : inVain == 0 ? "The agent checked in again and resumes"
                : string.Create(CultureInfo.InvariantCulture, $"The agent checked in again and resumes; {inVain} of {MaxResumesWithoutProgress} attempts without progress");
            if (await MoveAsync(connection, transaction, taskId, HostTaskState.CheckedIn, text) == Transition.Unchanged)
                await WriteEventAsync(connection, transaction, taskId, HostTaskState.CheckedIn, text);
            return CheckInOutcome.CheckedIn;
        }, cancellationToken);

    /// <summary>Sign of life and progress. True: the agent must stop, somebody cancelled the task or it has ended.</summary>
    public Task<bool> RecordProgressAsync(long taskId, ProgressReport report, CancellationToken cancellationToken) =>
        database.WriteAsync(async (connection, transaction) =>
        {
            var task = Find(connection, transaction, taskId);
            if (task is null || task.State.IsFinal())
                return true;
            // Only working states come from an agent here; an end comes as a result.
            if (report.State is > HostTaskState.CheckedIn and <= HostTaskState.Finishing)
                await MoveAsync(connection, transaction, taskId, report.State, Hosts.DeviceText.Limit(report.Detail) ?? report.State.ToString());
            await connection.ExecuteAsync(
                """
                UPDATE host_tasks SET last_heard_at = @now, detail = @detail, bytes_done = @done, bytes_total = @total, bytes_sent = @sent,
                    bytes_per_second = @rate, progress_mark = max(progress_mark, @mark) WHERE id = @taskId
                """,
                new
                {
                    taskId,
                    now = time.NowMilliseconds(),
                    detail = Hosts.DeviceText.Limit(report.Detail),
                    done = Math.Max(0, report.BytesDone),
                    total = Math.Max(0, report.BytesTotal),
                    sent = Math.Max(0, report.BytesSent),
                    rate = double.IsFinite(report.BytesPerSecond) ? Math.Max(0, report.BytesPerSecond) : 0,
                    mark = Mark(report),
                }, transaction);
            return task.CancelRequested;
        }, cancellationToken);

    /// <summary>Keeps the plan people see. False: the task has ended or is to be cancelled, nothing may be written to the disk.</summary>
    public Task<bool> SavePlanAsync(long taskId, DeployPlan plan, CancellationToken cancellationToken) =>
        database.WriteAsync(async (connection, transaction) =>
        {
            var task = Find(connection, transaction, taskId);
            if (task is null || task.State.IsFinal() || task.CancelRequested)
                return false;
            await connection.ExecuteAsync("UPDATE host_tasks SET plan = @plan, last_heard_at = @now WHERE id = @taskId",
                new { taskId, plan = JsonSerializer.Serialize(plan, AgentJson.Default.DeployPlan), now = time.NowMilliseconds() }, transaction);
            await WriteEventAsync(connection, transaction, taskId, task.State, $"Plan: {Hosts.DeviceText.Limit(plan.Erases) ?? plan.DiskName}");
            return true;
        }, cancellationToken);

    /// <summary>The agent's last word. Unchanged: it said so before. A cancelled task ends Cancelled whatever else the agent says except success.</summary>
    /// <remarks>Durable when it returns: the agent restarts its machine on the answer and never says it again.</remarks>
    public Task<Transition> FinishAsync(long taskId, TaskResult result, CancellationToken cancellationToken) =>
        database.WriteDurablyAsync(async (connection, transaction) =>
        {
            var task = Find(connection, transaction, taskId);
            if (task is null)
                return Transition.NotFound;
            var to = result.State != HostTaskState.Succeeded && task.CancelRequested ? HostTaskState.Cancelled : result.State;
            if (!to.IsFinal())
                return Transition.Illegal;
            var failure = to != HostTaskState.Failed ? null
                : result.Failure ?? new Failure("unexplained", Fault.Server, "The agent failed without saying why.", "Read the machine's screen and its log, then order the job again.");
            return await EndAsync(connection, transaction, task, to, failure, result.Summary, result.Proof, result.Notes);
        }, cancellationToken);

    /// <summary>Ends a task that cannot go on, with the reason people see.</summary>
    public Task<Transition> FailAsync(long taskId, Failure failure, CancellationToken cancellationToken, SqliteTransaction? joined = null) =>
        database.WriteAsync(joined, async (connection, transaction) =>
            Find(connection, transaction, taskId) is { } task
                ? await EndAsync(connection, transaction, task, HostTaskState.Failed, failure, null)
                : Transition.NotFound, cancellationToken);

    private async Task<Transition> EndAsync(
        SqliteConnection connection, SqliteTransaction transaction, HostTask task, HostTaskState to, Failure? failure, string? summary,
        TaskProof? proof = null, IReadOnlyList<string>? notes = null)
    {
        var text = failure is { } why ? $"{why.Sentence} {why.Cure}" : string.IsNullOrWhiteSpace(summary) ? to.ToString() : summary;
        var moved = await MoveAsync(connection, transaction, task.Id, to, text);
        if (moved == Transition.Moved)
            await connection.ExecuteAsync(
                """
                UPDATE host_tasks SET finished_at = @now, summary = @summary, proof = @proof, notes = @notes, failure_code = @code, failure_fault = @fault, failure_sentence = @sentence,
                    failure_cure = @cure, bytes_per_second = 0 WHERE id = @id
                """,
                new
                {
                    id = task.Id,
                    now = time.NowMilliseconds(),
                    summary,
                    // Only success proves anything.
                    proof = to == HostTaskState.Succeeded && proof is not null ? JsonSerializer.Serialize(proof, AgentJson.Default.TaskProof) : null,
                    notes = notes is { Count: > 0 } ? JsonSerializer.Serialize(notes, AgentJson.Default.IReadOnlyListString) : null,
                    code = failure?.Code,
                    fault = failure is { } f ? StoredName.Of(f.Fault) : null,
                    sentence = failure?.Sentence,
                    cure = failure?.Cure,
                }, transaction);
        return moved;
    }

    private async Task<Transition> MoveAsync(SqliteConnection connection, SqliteTransaction transaction, long taskId, HostTaskState to, string text)
    {
        var stored = await connection.ExecuteScalarAsync<string?>("SELECT state FROM host_tasks WHERE id = @taskId", new { taskId }, transaction);
        if (stored is null)
            return Transition.NotFound;
        var verdict = HostTaskStateMachine.Judge(StoredName.Parse<HostTaskState>(stored), to);
        if (verdict != Transition.Moved)
            return verdict;
        await connection.ExecuteAsync("UPDATE host_tasks SET state = @state WHERE id = @taskId", new { taskId, state = StoredName.Of(to) }, transaction);
        await WriteEventAsync(connection, transaction, taskId, to, text);
        return verdict;
    }

    private async Task WriteEventAsync(SqliteConnection connection, SqliteTransaction transaction, long taskId, HostTaskState state, string text) =>
        await connection.ExecuteAsync(
            "INSERT INTO host_task_events (task_id, at, state, text) VALUES (@taskId, @at, @state, @text)",
            new { taskId, at = time.NowMilliseconds(), state = StoredName.Of(state), text }, transaction);

    /// <summary>Phase above bytes: a later phase is always further.</summary>
    private static long Mark(ProgressReport report) =>
        ((long)Math.Clamp((int)report.State, 0, 15) << 56) | Math.Clamp(report.BytesDone, 0, (1L << 56) - 1);
}
