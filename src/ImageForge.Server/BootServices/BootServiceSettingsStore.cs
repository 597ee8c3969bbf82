using System.Text.Json;
using Dapper;
using ImageForge.Server.Data;

namespace ImageForge.Server.BootServices;

/// <summary>Keeps the settings that people saved; until then the configuration holds.</summary>
internal sealed class BootServiceSettingsStore(Database database, BootServicesOptions options)
{
    private const string Key = "bootServices";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    /// <param name="Saved">False: from the configuration.</param>
    public sealed record Found(BootServiceSettings Settings, bool Saved);

    public async Task<Found> LoadAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        var json = await connection.ExecuteScalarAsync<string?>("SELECT value FROM settings WHERE key = @Key", new { Key });
        return json is not null && JsonSerializer.Deserialize<BootServiceSettings>(json, Json) is { } saved
            ? new Found(saved, true)
            : new Found(BootServiceSettings.From(options), false);
    }

    public Task SaveAsync(BootServiceSettings settings, CancellationToken cancellationToken) =>
        database.WriteAsync<bool>(async (connection, transaction) =>
        {
            await connection.ExecuteAsync(
                "INSERT INTO settings (key, value) VALUES (@Key, @value) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                new { Key, value = JsonSerializer.Serialize(settings, Json) }, transaction);
            return true;
        }, cancellationToken);
}
