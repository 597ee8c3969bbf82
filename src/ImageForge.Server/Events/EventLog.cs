using Dapper;
using ImageForge.Server.Data;
using Microsoft.Data.Sqlite;

namespace ImageForge.Server.Events;

/// <param name="Kind">lowerCamel name, for example <c>checkInRefused</c>.</param>
/// <param name="Subject">What it is about: a MAC, a service, a user.</param>
internal sealed record Event(long Id, DateTimeOffset At, string Kind, string Subject, string Text);

/// <summary>What people should notice: alarms, refusals, service changes.</summary>
internal sealed class EventLog(Database database, TimeProvider time)
{
    public const int Kept = 10_000;

    public Task RecordAsync(string kind, string subject, string text, CancellationToken cancellationToken, SqliteTransaction? transaction = null) =>
        database.WriteAsync(transaction, async (connection, writing) =>
        {
            var id = await connection.ExecuteScalarAsync<long>(
                "INSERT INTO events (at, kind, subject, text) VALUES (@at, @kind, @subject, @text) RETURNING id",
                new { at = time.NowMilliseconds(), kind, subject, text }, writing);
            // Refusals can be provoked from the network: the log must not grow without bound.
            await connection.ExecuteAsync("DELETE FROM events WHERE id <= @last", new { last = id - Kept }, writing);
            return true;
        }, cancellationToken);

    /// <summary>Newest first.</summary>
    public async Task<Page<Event>> ListAsync(Paging paging, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        var total = await connection.ExecuteScalarAsync<long>("SELECT count(*) FROM events");
        var rows = await connection.QueryAsync<(long Id, long At, string Kind, string Subject, string Text)>(
            "SELECT id, at, kind, subject, text FROM events ORDER BY id DESC LIMIT @Limit OFFSET @Offset", paging);
        return new Page<Event>([.. rows.Select(r => new Event(r.Id, r.At.ToTime(), r.Kind, r.Subject, r.Text))], total);
    }
}
