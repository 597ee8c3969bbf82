using Dapper;
using ImageForge.Server.Data;
using Microsoft.Data.Sqlite;

namespace ImageForge.Server.Images;

internal sealed record SealedVersion(long ImageId, long VersionId, string ImageName, int Number, string ManifestHash);

/// <summary>Answers which sealed version a name means; jobs ask it before they order a deploy.</summary>
internal sealed class ImageCatalog(Database database)
{
    /// <param name="number">Null: the current one.</param>
    public async Task<SealedVersion?> FindSealedAsync(string imageName, int? number, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        return await FindSealedAsync(connection, null, imageName, number);
    }

    public static async Task<SealedVersion?> FindSealedAsync(SqliteConnection connection, SqliteTransaction? transaction, string imageName, int? number)
    {
        var rows = await connection.QueryAsync<(long ImageId, long VersionId, string Name, int Number, string Hash)>(
            """
            SELECT i.id, v.id, i.name, v.number, v.manifest_hash
            FROM images i JOIN image_versions v ON v.image_id = i.id
            WHERE i.name = @imageName AND (@number IS NULL OR v.number = @number)
            ORDER BY COALESCE(v.id = i.current_version_id, 0) DESC, v.number DESC LIMIT 1
            """, new { imageName, number }, transaction);
        return rows.Select(r => new SealedVersion(r.ImageId, r.VersionId, r.Name, r.Number, r.Hash)).FirstOrDefault();
    }
}
