using Dapper;
using ImageForge.Contracts;
using ImageForge.Server.Data;

namespace ImageForge.Server.Jobs;

/// <summary>Finds jobs; they are made and cancelled at the <see cref="JobDesk"/>.</summary>
internal sealed class JobStore(Database database)
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
    public async Task<Page<Job>> ListAsync(Paging paging, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        var total = await connection.ExecuteScalarAsync<long>("SELECT count(*) FROM jobs");
        var rows = await connection.QueryAsync<Row>($"{From} ORDER BY j.id DESC LIMIT @Limit OFFSET @Offset", paging);
        return new Page<Job>([.. rows.Select(ToJob)], total);
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
