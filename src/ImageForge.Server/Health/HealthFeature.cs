using Dapper;
using ImageForge.Server.Data;

namespace ImageForge.Server.Health;

internal static class HealthFeature
{
    /// <summary><c>GET /healthz</c>: 200 "ok" when the database answers; plain text, for load balancers and scripts.</summary>
    public static void MapHealth(this WebApplication app) =>
        app.MapGet("/healthz", static async (Database database, CancellationToken cancellationToken) =>
        {
            await using var connection = await database.OpenAsync(cancellationToken);
            await connection.ExecuteScalarAsync<long>("SELECT 1");
            return TypedResults.Text("ok\n");
        }).AllowAnonymous().ExcludeFromDescription();
}
