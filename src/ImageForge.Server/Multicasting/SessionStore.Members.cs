using System.Text.Json;
using Dapper;
using ImageForge.Multicast;
using ImageForge.Server.Data;

namespace ImageForge.Server.Multicasting;

/// <summary>A machine of a session, as the database keeps it.</summary>
/// <param name="LeftAt">Null: in it, or the server was killed.</param>
/// <param name="Outcome">Null as long as it has not left.</param>
/// <param name="Figures">What was known of it last.</param>
internal sealed record MemberRow(
    long TaskId, string HostName, string Address, DateTimeOffset JoinedAt, DateTimeOffset? LeftAt, string? Outcome, MemberFigures? Figures, string? Cause, string? Cure);

internal sealed partial class SessionStore
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);

    /// <summary>A machine joins, or comes back.</summary>
    public Task SaveJoinAsync(long session, long task, string hostName, string address, CancellationToken cancellationToken) =>
        database.WriteAsync((connection, transaction) => connection.ExecuteAsync(
            """
            INSERT INTO multicast_members (session_id, task_id, host_name, address, joined_at) VALUES (@session, @task, @hostName, @address, @now)
            ON CONFLICT (session_id, task_id) DO UPDATE SET host_name = @hostName, address = @address, left_at = NULL, outcome = NULL, cause = NULL, cure = NULL
            """, new { session, task, hostName, address, now = time.NowMilliseconds() }, transaction), cancellationToken);

    public Task SaveLeaveAsync(long session, long task, string outcome, MemberFigures? figures, LikelyCause? cause, CancellationToken cancellationToken) =>
        database.WriteAsync((connection, transaction) => connection.ExecuteAsync(
            """
            UPDATE multicast_members SET left_at = @now, outcome = @outcome, figures = COALESCE(@figures, figures), cause = @Sentence, cure = @Cure
            WHERE session_id = @session AND task_id = @task
            """,
            new
            {
                session,
                task,
                outcome,
                figures = figures is null ? null : JsonSerializer.Serialize(figures, s_json),
                cause?.Sentence,
                cause?.Cure,
                now = time.NowMilliseconds(),
            }, transaction), cancellationToken);

    /// <summary>By the name of the host.</summary>
    public async Task<IReadOnlyList<MemberRow>> ListMembersAsync(long session, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        var rows = await connection.QueryAsync<(long Task, string Host, string Address, long Joined, long? Left, string? Outcome, string? Figures, string? Cause, string? Cure)>(
            """
            SELECT task_id, host_name, address, joined_at, left_at, outcome, figures, cause, cure
            FROM multicast_members WHERE session_id = @session ORDER BY host_name, task_id
            """, new { session });
        return [.. rows.Select(static r => new MemberRow(r.Task, r.Host, r.Address, r.Joined.ToTime(), r.Left.ToTime(), r.Outcome,
            r.Figures is null ? null : JsonSerializer.Deserialize<MemberFigures>(r.Figures, s_json), r.Cause, r.Cure))];
    }

    /// <summary>In which session a task was last, and what it heard there; null: in none.</summary>
    public async Task<(long Session, string? Outcome, string? Cause, string? Cure)?> LatestOfTaskAsync(long task, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        var rows = await connection.QueryAsync<(long, string?, string?, string?)>(
            "SELECT session_id, outcome, cause, cure FROM multicast_members WHERE task_id = @task ORDER BY joined_at DESC, session_id DESC LIMIT 1", new { task });
        return rows.Select(static r => ((long, string?, string?, string?)?)r).FirstOrDefault();
    }
}
