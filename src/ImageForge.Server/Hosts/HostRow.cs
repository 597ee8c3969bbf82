using ImageForge.Contracts;
using ImageForge.Server.Data;
using Microsoft.Data.Sqlite;

namespace ImageForge.Server.Hosts;

/// <summary>Reads a host by column position: this runs for every boot question.</summary>
internal static class HostRow
{
    /// <summary>For a query in which <c>h</c> is the hosts table.</summary>
    public const string Columns =
        "h.id, h.name, h.state, (SELECT group_concat(a.mac, ' ') FROM host_macs a WHERE a.host_id = h.id), h.uuid, h.serial, h.asset_tag, " +
        "h.manufacturer, h.product, h.architecture, h.platform, h.local_boot, h.created_at, h.last_seen_at, h.last_seen_address";

    public static Host Read(SqliteDataReader row) => new(
        row.GetInt64(0),
        row.GetString(1),
        row.GetString(2) == "approved" ? HostState.Approved : HostState.Discovered,
        row.IsDBNull(3) ? [] : [.. row.GetString(3).Split(' ').Select(MacAddress.Parse)],
        Text(row, 4),
        Text(row, 5),
        Text(row, 6),
        Text(row, 7),
        Text(row, 8),
        Text(row, 9),
        Text(row, 10),
        Text(row, 11),
        row.GetInt64(12).ToTime(),
        row.IsDBNull(13) ? null : row.GetInt64(13).ToTime(),
        Text(row, 14));

    private static string? Text(SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);
}
