using Dapper;
using ImageForge.Contracts;
using ImageForge.Server.Data;
using Microsoft.Data.Sqlite;

namespace ImageForge.Server.Hosts;

internal enum HostChange { Done, NotFound, MacTaken }

internal sealed partial class HostStore
{
    /// <summary>A host someone enters by hand is approved; one that was discovered under that MAC becomes approved and gets the name.</summary>
    public Task<(HostChange Change, Host? Host)> CreateAsync(string name, IReadOnlyList<MacAddress> macs, string? localBoot, CancellationToken cancellationToken) =>
        database.WriteAsync<(HostChange, Host?)>(async (connection, transaction) =>
        {
            var texts = macs.Select(m => m.ToString()).ToArray();
            var owners = (await connection.QueryAsync<(long Id, string State)>(
                "SELECT DISTINCT h.id, h.state FROM host_macs m JOIN hosts h ON h.id = m.host_id WHERE m.mac IN @texts", new { texts }, transaction)).ToList();
            if (owners.Exists(o => o.State == "approved"))
                return (HostChange.MacTaken, null);
            // Two discovered records that turn out to be one machine become one.
            foreach (var owner in owners.Skip(1))
                await connection.ExecuteAsync("DELETE FROM hosts WHERE id = @Id", new { owner.Id }, transaction);
            var id = owners.Count > 0
                ? owners[0].Id
                : await connection.ExecuteScalarAsync<long>(
                    "INSERT INTO hosts (name, state, created_at) VALUES (@name, 'approved', @now) RETURNING id",
                    new { name, now = time.NowMilliseconds() }, transaction);
            await connection.ExecuteAsync(
                "UPDATE hosts SET name = @name, state = 'approved', local_boot = @localBoot WHERE id = @id", new { id, name, localBoot }, transaction);
            foreach (var mac in texts)
                await connection.ExecuteAsync("INSERT OR IGNORE INTO host_macs (mac, host_id) VALUES (@mac, @id)", new { mac, id }, transaction);
            return (HostChange.Done, Find(connection, transaction, id));
        }, cancellationToken);

    public Task<HostChange> ApproveAsync(long id, CancellationToken cancellationToken) =>
        UpdateAsync("UPDATE hosts SET state = 'approved' WHERE id = @id", new { id }, cancellationToken);

    public Task<HostChange> RenameAsync(long id, string name, CancellationToken cancellationToken) =>
        UpdateAsync("UPDATE hosts SET name = @name WHERE id = @id", new { id, name }, cancellationToken);

    /// <param name="localBoot">Null: the default of its firmware platform.</param>
    public Task<HostChange> SetLocalBootAsync(long id, string? localBoot, CancellationToken cancellationToken) =>
        UpdateAsync("UPDATE hosts SET local_boot = @localBoot WHERE id = @id", new { id, localBoot }, cancellationToken);

    /// <summary>Forgets a host whose tasks are already gone (<see cref="Jobs.HostTaskStore.ForgetHostAsync"/>).</summary>
    public Task<HostChange> DeleteAsync(long id, CancellationToken cancellationToken, SqliteTransaction? joined = null) =>
        database.WriteAsync(joined, async (connection, transaction) =>
            await connection.ExecuteAsync("DELETE FROM hosts WHERE id = @id", new { id }, transaction) > 0 ? HostChange.Done : HostChange.NotFound, cancellationToken);

    private Task<HostChange> UpdateAsync(string sql, object values, CancellationToken cancellationToken) =>
        database.WriteAsync(async (connection, transaction) =>
            await connection.ExecuteAsync(sql, values, transaction) > 0 ? HostChange.Done : HostChange.NotFound, cancellationToken);
}
