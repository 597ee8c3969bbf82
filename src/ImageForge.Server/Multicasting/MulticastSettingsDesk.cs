using System.Text.Json;
using Dapper;
using ImageForge.Server.Data;
using ImageForge.Server.Events;

namespace ImageForge.Server.Multicasting;

/// <summary>Keeps the settings; until somebody saves any, the defaults hold.</summary>
internal sealed class MulticastSettingsDesk(Database database, EventLog events)
{
    private const string Key = "multicast";

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);

    private volatile MulticastSettings? _current;

    public async ValueTask<MulticastSettings> GetAsync(CancellationToken cancellationToken)
    {
        if (_current is { } known)
            return known;
        await using var connection = await database.OpenAsync(cancellationToken);
        var json = await connection.ExecuteScalarAsync<string?>("SELECT value FROM settings WHERE key = @Key", new { Key });
        return _current ??= json is null ? new MulticastSettings() : JsonSerializer.Deserialize<MulticastSettings>(json, s_json)!;
    }

    /// <param name="settings">Checked by <see cref="MulticastSettingsRules"/>.</param>
    public async Task ChangeAsync(MulticastSettings settings, string by, CancellationToken cancellationToken)
    {
        await database.WriteAsync(async (connection, transaction) =>
        {
            await connection.ExecuteAsync(
                "INSERT INTO settings (key, value) VALUES (@Key, @value) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                new { Key, value = JsonSerializer.Serialize(settings, s_json) }, transaction);
            await events.RecordAsync("multicastSettings", "settings", $"{by} changed the multicast settings: {Describe(settings)}", cancellationToken, transaction);
        }, cancellationToken);
        _current = settings;
    }

    private static string Describe(MulticastSettings settings) => FormattableString.Invariant(
        $"{settings.GroupsOrDefault}, ports {settings.FirstPort} to {settings.LastPort}, TTL {settings.Ttl}, {settings.Interface ?? "the boot services' interface"}, MTU {settings.Mtu}, {(settings.MegabitsPerSecond is { } rate ? $"{rate} Mbit/s" : "no limit")}");
}
