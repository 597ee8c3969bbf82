using System.Text.Json;
using Dapper;
using ImageForge.Contracts;
using ImageForge.Server.Data;
using Microsoft.Data.Sqlite;

namespace ImageForge.Server.Hosts;

internal sealed partial class HostStore
{
    /// <summary>
    /// Records who asked how to boot, all in one transaction: an unknown MAC becomes a discovered host (the oldest
    /// unapproved ones make room), a known one was last seen now. What a boot question says never overwrites a record.
    /// </summary>
    public Task RecordSightingsAsync(IReadOnlyList<HostSighting> sightings, CancellationToken cancellationToken) =>
        database.WriteAsync(async (connection, transaction) =>
        {
            var now = time.NowMilliseconds();
            foreach (var sighting in sightings)
            {
                if (!sighting.Mac.IsUsable)
                    continue;
                var known = await connection.ExecuteScalarAsync<long?>(
                    "SELECT host_id FROM host_macs WHERE mac = @mac", new { mac = sighting.Mac.ToString() }, transaction);
                var values = new
                {
                    id = known,
                    mac = sighting.Mac.ToString(),
                    name = $"host-{sighting.Mac.ToString().Replace(":", "", StringComparison.Ordinal)}",
                    uuid = Identity(sighting.Uuid),
                    serial = Identity(sighting.Serial),
                    asset = Identity(sighting.AssetTag),
                    manufacturer = DeviceText.Limit(sighting.Manufacturer),
                    product = DeviceText.Limit(sighting.Product),
                    architecture = DeviceText.Limit(sighting.Architecture),
                    platform = DeviceText.Limit(sighting.Platform),
                    address = DeviceText.Limit(sighting.Address),
                    now,
                };
                if (known is null)
                {
                    var id = await connection.ExecuteScalarAsync<long>(
                        """
                        INSERT INTO hosts (name, state, uuid, serial, asset_tag, manufacturer, product, architecture, platform, created_at, last_seen_at, last_seen_address)
                        VALUES (@name, 'discovered', @uuid, @serial, @asset, @manufacturer, @product, @architecture, @platform, @now, @now, @address) RETURNING id
                        """, values, transaction);
                    await connection.ExecuteAsync("INSERT INTO host_macs (mac, host_id) VALUES (@mac, @id)", new { values.mac, id }, transaction);
                }
                else
                {
                    // Architecture and platform follow the latest boot: the same machine may boot BIOS today and UEFI tomorrow.
                    await connection.ExecuteAsync(
                        """
                        UPDATE hosts SET last_seen_at = @now, last_seen_address = @address,
                            architecture = COALESCE(@architecture, architecture), platform = COALESCE(@platform, platform),
                            manufacturer = COALESCE(manufacturer, @manufacturer), product = COALESCE(product, @product)
                        WHERE id = @id
                        """, values, transaction);
                }
            }
            await EvictAsync(connection, transaction);
        }, cancellationToken);

    /// <summary>
    /// Keeps the inventory of a check-in that was accepted: fills the UUID, serial and product the record lacks and adds the NICs'
    /// MACs that belong to no other host.
    /// </summary>
    public Task SaveInventoryAsync(long hostId, Inventory inventory, CancellationToken cancellationToken, SqliteTransaction? joined = null) =>
        database.WriteAsync(joined, async (connection, transaction) =>
        {
            await connection.ExecuteAsync(
                """
                UPDATE hosts SET inventory = @json, uuid = COALESCE(uuid, @uuid), serial = COALESCE(serial, @serial), asset_tag = COALESCE(asset_tag, @asset),
                    manufacturer = COALESCE(manufacturer, @manufacturer), product = COALESCE(product, @product), architecture = COALESCE(@architecture, architecture)
                WHERE id = @hostId
                """,
                new
                {
                    hostId,
                    json = JsonSerializer.Serialize(inventory, AgentJson.Default.Inventory),
                    uuid = Identity(inventory.Uuid),
                    serial = Identity(inventory.Serial),
                    asset = Identity(inventory.AssetTag),
                    manufacturer = DeviceText.Limit(inventory.Manufacturer),
                    product = DeviceText.Limit(inventory.Product),
                    architecture = DeviceText.Limit(inventory.Architecture),
                }, transaction);
            foreach (var nic in inventory.Nics)
            {
                if (MacAddress.TryParse(nic.Mac, out var mac) && mac.IsUsable)
                    await connection.ExecuteAsync(
                        "INSERT INTO host_macs (mac, host_id) VALUES (@mac, @hostId) ON CONFLICT (mac) DO NOTHING",
                        new { mac = mac.ToString(), hostId }, transaction);
            }
            return true;
        }, cancellationToken);

    /// <summary>The last inventory, or null before the first check-in.</summary>
    public async Task<Inventory?> FindInventoryAsync(long hostId, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        var json = await connection.ExecuteScalarAsync<string?>("SELECT inventory FROM hosts WHERE id = @hostId", new { hostId });
        return json is null ? null : JsonSerializer.Deserialize(json, AgentJson.Default.Inventory);
    }

    private async Task EvictAsync(SqliteConnection connection, SqliteTransaction transaction)
    {
        var discovered = await connection.ExecuteScalarAsync<long>("SELECT count(*) FROM hosts WHERE state = 'discovered'", transaction: transaction);
        if (discovered > options.DiscoveredLimit)
            await connection.ExecuteAsync(
                """
                DELETE FROM hosts WHERE id IN (
                    SELECT id FROM hosts WHERE state = 'discovered' ORDER BY last_seen_at, id LIMIT @surplus)
                """, new { surplus = discovered - options.DiscoveredLimit }, transaction);
    }

    private static string? Identity(string? value) => HostIdentity.IsJunk(value) ? null : DeviceText.Limit(value);
}
