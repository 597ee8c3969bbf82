using System.Text.Json;
using ImageForge.Contracts;
using ImageForge.Server.Data;
using Microsoft.Data.Sqlite;

namespace ImageForge.Server.Jobs;

/// <summary>Reads a host task by column position: the boot question asks for it thousands of times a second.</summary>
internal static class HostTaskRow
{
    /// <summary>For a query over <c>host_tasks t JOIN jobs j</c>.</summary>
    public const string Columns =
        "t.id, t.job_id, t.host_id, j.kind, t.state, t.created_at, t.started_at, t.finished_at, t.last_heard_at, t.detail, t.bytes_done, " +
        "t.bytes_total, t.bytes_sent, t.bytes_per_second, t.plan, t.summary, t.failure_code, t.failure_fault, t.failure_sentence, t.failure_cure, " +
        "t.cancel_requested, t.target_disk, t.checked_in_uuid, t.checked_in_serial, t.resumes_without_progress, t.proof, t.notes";

    public static HostTask Read(SqliteDataReader row) => new(
        row.GetInt64(0),
        row.GetInt64(1),
        row.GetInt64(2),
        StoredName.Parse<JobKind>(row.GetString(3)),
        StoredName.Parse<HostTaskState>(row.GetString(4)),
        row.GetInt64(5).ToTime(),
        Time(row, 6),
        Time(row, 7),
        Time(row, 8),
        Text(row, 9),
        row.GetInt64(10),
        row.GetInt64(11),
        row.GetInt64(12),
        row.GetDouble(13),
        row.IsDBNull(14) ? null : JsonSerializer.Deserialize(row.GetString(14), AgentJson.Default.DeployPlan),
        Text(row, 15),
        row.IsDBNull(16) ? null : new Failure(row.GetString(16), StoredName.Parse<Fault>(row.GetString(17)), row.GetString(18), row.GetString(19)),
        row.GetInt64(20) != 0,
        Text(row, 21),
        Text(row, 22),
        Text(row, 23),
        row.GetInt32(24),
        row.IsDBNull(25) ? null : JsonSerializer.Deserialize(row.GetString(25), AgentJson.Default.TaskProof),
        row.IsDBNull(26) ? [] : JsonSerializer.Deserialize(row.GetString(26), AgentJson.Default.IReadOnlyListString)!);

    private static string? Text(SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    private static DateTimeOffset? Time(SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.GetInt64(column).ToTime();
}
