using ImageForge.Contracts;
using ImageForge.Server.Data;
using Microsoft.Data.Sqlite;

namespace ImageForge.Server.Hosts;

/// <summary>Finds hosts. Changes are in <c>HostStore.Changes.cs</c>, discovery in <c>HostStore.Sightings.cs</c>.</summary>
internal sealed partial class HostStore(Database database, TimeProvider time, HostsOptions options)
{
    private const string ByMac = $"SELECT {HostRow.Columns} FROM host_macs m JOIN hosts h ON h.id = m.host_id WHERE m.mac = @key";

    /// <summary>The host that owns <paramref name="mac"/>; asked thousands of times a second when a building is switched on.</summary>
    public ValueTask<Host?> FindByMacAsync(MacAddress mac, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return ValueTask.FromResult(database.Prepared.First(ByMac, mac.ToString(), HostRow.Read));
    }

    public async ValueTask<Host?> FindAsync(long id, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        return Find(connection, null, id);
    }

    /// <summary>By name; <paramref name="state"/> null: all.</summary>
    public async Task<Page<Host>> ListAsync(HostState? state, Paging paging, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = connection.CreateCommand();
        command.Parameters.AddWithValue("@state", state is { } wanted ? StoredName.Of(wanted) : DBNull.Value);
        command.CommandText = "SELECT count(*) FROM hosts h WHERE @state IS NULL OR h.state = @state";
        var total = (long)command.ExecuteScalar()!;
        command.CommandText =
            $"SELECT {HostRow.Columns} FROM hosts h WHERE @state IS NULL OR h.state = @state ORDER BY h.name, h.id LIMIT {paging.Limit} OFFSET {paging.Offset}";
        var hosts = new List<Host>();
        await using var row = command.ExecuteReader();
        while (row.Read())
            hosts.Add(HostRow.Read(row));
        return new Page<Host>(hosts, total);
    }

    private static Host? Find(SqliteConnection connection, SqliteTransaction? transaction, long id)
    {
        using var command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = $"SELECT {HostRow.Columns} FROM hosts h WHERE h.id = @id";
        command.Parameters.AddWithValue("@id", id);
        using var row = command.ExecuteReader();
        return row.Read() ? HostRow.Read(row) : null;
    }
}
