using ImageForge.Contracts;
using ImageForge.Server.Data;
using ImageForge.Server.Jobs;

namespace ImageForge.Server.ImageStore;

/// <summary>
/// Gives back the leases of tasks that have ended, and of those that have said nothing for so long that their chunks need not be kept for
/// them any more. A capture that comes back after that asks again, and what is gone is sent again.
/// </summary>
internal sealed class StaleLeases(ChunkLeases leases, Database database, ImageStoreOptions options, TimeProvider time)
{
    /// <summary>Returns how many leases that were.</summary>
    public async Task<long> ReleaseAsync(CancellationToken cancellationToken)
    {
        var released = 0L;
        foreach (var taskId in await leases.TasksAsync(cancellationToken))
        {
            released += await database.WriteAsync(async (_, transaction) =>
                // Inside the transaction: a sign of life that came before it counts.
                IsStale(HostTaskStore.Find(transaction, taskId)) ? await leases.ReleaseAsync(taskId, cancellationToken, transaction) : 0, cancellationToken);
        }
        return released;
    }

    private bool IsStale(HostTask? task) =>
        task is null || !task.State.IsActive() || time.GetUtcNow() - (task.LastHeardAt ?? task.CreatedAt) > options.LeaseLifetime;
}
