using Dapper;
using ImageForge.Server.Data;

namespace ImageForge.Server.Jobs;

internal sealed partial class HostTaskStore
{
    /// <summary>A sign of life that says nothing else.</summary>
    public Task HeardAsync(long taskId, CancellationToken cancellationToken) =>
        database.WriteAsync((connection, transaction) =>
            connection.ExecuteAsync("UPDATE host_tasks SET last_heard_at = @now WHERE id = @taskId", new { taskId, now = time.NowMilliseconds() }, transaction), cancellationToken);
}
