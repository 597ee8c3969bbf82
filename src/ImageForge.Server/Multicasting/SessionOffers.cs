using Dapper;
using ImageForge.Contracts;
using ImageForge.Server.Data;
using ImageForge.Server.Images;
using ImageForge.Server.Jobs;
using Microsoft.Data.Sqlite;

namespace ImageForge.Server.Multicasting;

/// <summary>
/// Which session carries a task's image. An auto-cast is shared by all jobs of a version, a scheduled-cast belongs to its job. What somebody
/// stopped stays stopped for the jobs ordered before.
/// </summary>
internal sealed class SessionOffers(Database database, SessionStore store)
{
    private const int DefaultWaitMinutes = 10;

    /// <summary>The session of this task, made when there is none; null: it goes over HTTP.</summary>
    public async Task<SessionRow?> FindOrBeginAsync(Job job, ImageVersion version, CancellationToken cancellationToken, SqliteTransaction? joined = null) =>
        job.Parameters is not { Multicast: { } choice, DryRun: false } ? null
            : await database.WriteAsync(joined, async (_, transaction) => choice.Start == MulticastStart.Scheduled
                ? await ScheduledAsync(job, choice, version, transaction)
                : await AutoAsync(job, version, transaction), cancellationToken);

    private async Task<SessionRow?> AutoAsync(Job job, ImageVersion version, SqliteTransaction transaction)
    {
        if (await SessionStore.OpenAutoAsync(transaction, version.Id) is { } open)
            return open;
        if (await SessionStore.WasStoppedSinceAsync(transaction, version.Id, job.CreatedAt))
            return null;
        return await store.AddAsync(transaction, new NewSession(version.Id, version.ImageName, version.Number, null, MulticastStart.FirstHost, null, null));
    }

    private async Task<SessionRow?> ScheduledAsync(Job job, MulticastChoice choice, ImageVersion version, SqliteTransaction transaction)
    {
        if (await SessionStore.OfJobAsync(transaction, job.Id) is { } before)
            return before switch
            {
                { State: not SessionState.Ended } => before,
                { EndReason: SessionEnd.Stopped } => null,
                // A machine that was away when the others finished: the session goes on for it and waits no more.
                _ => await SessionStore.ReopenAsync(transaction, before),
            };
        var hosts = await transaction.Connection!.ExecuteScalarAsync<int>("SELECT count(*) FROM host_tasks WHERE job_id = @Id", new { job.Id }, transaction);
        return await store.AddAsync(transaction, new NewSession(
            version.Id, version.ImageName, version.Number, job.Id, MulticastStart.Scheduled, Math.Min(choice.WaitForHosts ?? hosts, hosts), (choice.WaitMinutes ?? DefaultWaitMinutes) * 60));
    }
}
