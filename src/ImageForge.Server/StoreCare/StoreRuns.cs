using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Dapper;
using ImageForge.Server.Data;

namespace ImageForge.Server.StoreCare;

/// <summary>The record of sweeps and verifications in <c>store_runs</c>.</summary>
internal sealed class StoreRuns(Database database, TimeProvider time)
{
    private const int Kept = 100;

    public Task<long> BeginAsync<TRequest, TProgress>(
        StoreRunKind kind, string by, TRequest request, TProgress progress, JsonTypeInfo<TRequest> requestType, JsonTypeInfo<TProgress> progressType, CancellationToken cancellationToken) =>
        database.WriteAsync(async (connection, transaction) =>
        {
            var id = await connection.ExecuteScalarAsync<long>(
                """
                INSERT INTO store_runs (kind, state, started_by, started_at, request, progress)
                VALUES (@kind, @state, @by, @now, @request, @progress) RETURNING id
                """,
                new
                {
                    kind = StoredName.Of(kind),
                    state = StoredName.Of(StoreRunState.Running),
                    by,
                    now = time.NowMilliseconds(),
                    request = JsonSerializer.Serialize(request, requestType),
                    progress = JsonSerializer.Serialize(progress, progressType),
                }, transaction);
            await connection.ExecuteAsync(
                "DELETE FROM store_runs WHERE kind = @kind AND id <= (SELECT id FROM store_runs WHERE kind = @kind ORDER BY id DESC LIMIT 1 OFFSET @Kept)",
                new { kind = StoredName.Of(kind), Kept }, transaction);
            return id;
        }, cancellationToken);

    /// <param name="state">Null: it goes on.</param>
    public Task RecordAsync<TProgress>(long id, StoreRunState? state, TProgress progress, JsonTypeInfo<TProgress> type, CancellationToken cancellationToken) =>
        database.WriteAsync((connection, transaction) => connection.ExecuteAsync(
            "UPDATE store_runs SET state = COALESCE(@state, state), ended_at = CASE COALESCE(@state, state) WHEN 'running' THEN NULL ELSE @now END, progress = @progress WHERE id = @id",
            new { id, state = state is { } s ? StoredName.Of(s) : null, now = time.NowMilliseconds(), progress = JsonSerializer.Serialize(progress, type) }, transaction),
            cancellationToken);

    /// <summary>The one that runs or ran last; null: there was none.</summary>
    public async Task<StoreRun<TRequest, TProgress>?> LastAsync<TRequest, TProgress>(
        StoreRunKind kind, JsonTypeInfo<TRequest> requestType, JsonTypeInfo<TProgress> progressType, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        var rows = await connection.QueryAsync<(long Id, string State, string By, long StartedAt, long? EndedAt, string Request, string Progress)>(
            "SELECT id, state, started_by, started_at, ended_at, request, progress FROM store_runs WHERE kind = @kind ORDER BY id DESC LIMIT 1", new { kind = StoredName.Of(kind) });
        return rows.Select(r => new StoreRun<TRequest, TProgress>(r.Id, StoredName.Parse<StoreRunState>(r.State), r.By, r.StartedAt.ToTime(), r.EndedAt.ToTime(),
            JsonSerializer.Deserialize(r.Request, requestType)!, JsonSerializer.Deserialize(r.Progress, progressType)!)).FirstOrDefault();
    }
}
