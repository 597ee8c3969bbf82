using Dapper;
using ImageForge.Contracts;
using ImageForge.Server.Data;

namespace ImageForge.Server.Jobs;

/// <summary>Finds jobs; ordering and cancelling them is beside, one file each.</summary>
internal sealed partial class JobStore(Database database)
{
    private const string From =
        """
        SELECT j.id AS Id, j.kind AS Kind, j.image_id AS ImageId, j.image_version_id AS VersionId, j.parameters AS Parameters, j.created_at AS CreatedAt, j.created_by AS CreatedBy
        FROM jobs j
        """;

    public async Task<Job?> FindAsync(long id, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        return (await connection.QueryAsync<Row>($"{From} WHERE j.id = @id", new { id })).Select(ToJob).FirstOrDefault();
    }

    /// <summary>Newest first.</summary>
    public async Task<IReadOnlyList<Job>> ListAsync(long? before, int limit, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        var rows = await connection.QueryAsync<Row>($"{From} WHERE @before IS NULL OR j.id < @before ORDER BY j.id DESC LIMIT @limit", new { before, limit });
        return [.. rows.Select(ToJob)];
    }

    private static Job ToJob(Row row)
    {
        var parameters = JobParameters.FromJson(row.Parameters);
        return new Job(row.Id, StoredName.Parse<JobKind>(row.Kind), parameters.ImageName, row.ImageId, row.VersionId,
            parameters.ImageVersion, parameters, row.CreatedAt.ToTime(), row.CreatedBy);
    }

    private sealed class Row
    {
        public long Id { get; init; }
        public string Kind { get; init; } = "";
        public long? ImageId { get; init; }
        public long? VersionId { get; init; }
        public string Parameters { get; init; } = "";
        public long CreatedAt { get; init; }
        public string CreatedBy { get; init; } = "";
    }
}
