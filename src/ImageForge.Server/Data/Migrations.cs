using System.Globalization;
using System.Reflection;
using Dapper;
using ImageForge.Server.Configuration;

namespace ImageForge.Server.Data;

/// <summary>Brings the database to this program's schema: embedded files <c>NNNN_name.sql</c>, all in one transaction: an upgrade happens or it does not.</summary>
internal sealed class Migrations(Database database, TimeProvider time)
{
    /// <exception cref="StartUpException">The database was written by a newer program.</exception>
    public async Task ApplyAsync(CancellationToken cancellationToken)
    {
        var known = Embedded();
        await database.WriteAsync(async (connection, transaction) =>
        {
            await connection.ExecuteAsync(
                "CREATE TABLE IF NOT EXISTS schema_migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at INTEGER NOT NULL)",
                transaction: transaction);
            var applied = (await connection.QueryAsync<long>("SELECT number FROM schema_migrations", transaction: transaction)).ToHashSet();
            var newest = applied.Count == 0 ? 0 : applied.Max();
            if (newest > known[^1].Number)
                throw new StartUpException(
                    $"The database has schema {newest} and this program knows only up to {known[^1].Number}: it was written by a newer ImageForge. Install that version again, or restore the backup made before the upgrade.");
            foreach (var migration in known.Where(m => !applied.Contains(m.Number)))
            {
                await connection.ExecuteAsync(migration.Sql, transaction: transaction);
                await connection.ExecuteAsync(
                    "INSERT INTO schema_migrations (number, name, applied_at) VALUES (@Number, @Name, @at)",
                    new { migration.Number, migration.Name, at = time.GetUtcNow().ToUnixTimeMilliseconds() }, transaction);
            }
        }, cancellationToken);
    }

    private static List<Migration> Embedded()
    {
        const string prefix = "ImageForge.Server.Data.Migrations.Sqlite.";
        var assembly = Assembly.GetExecutingAssembly();
        var found = new List<Migration>();
        foreach (var resource in assembly.GetManifestResourceNames().Where(n => n.StartsWith(prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!);
            var name = resource[prefix.Length..^".sql".Length];
            found.Add(new Migration(int.Parse(name.AsSpan(0, 4), CultureInfo.InvariantCulture), name, reader.ReadToEnd()));
        }
        return found;
    }

    private sealed record Migration(int Number, string Name, string Sql);
}
