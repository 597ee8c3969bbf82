using Dapper;

namespace ImageForge.Server.Images;

/// <summary>What the care of the store asks.</summary>
internal sealed partial class ImageVersions
{
    /// <summary>Every version with its manifest, oldest first.</summary>
    public async Task<IReadOnlyList<VersionManifest>> ListManifestsAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        return [.. await connection.QueryAsync<VersionManifest>(
            """
            SELECT v.id AS VersionId, v.manifest_hash AS ManifestHash, i.name AS ImageName, v.number AS Number
            FROM image_versions v JOIN images i ON i.id = v.image_id ORDER BY v.id
            """)];
    }

    public async Task<bool> AnyHasAsync(string manifestHash, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        return await connection.ExecuteScalarAsync<long>("SELECT EXISTS (SELECT 1 FROM image_versions WHERE manifest_hash = @manifestHash)", new { manifestHash }) != 0;
    }

    /// <summary>Versions with bad or missing chunks.</summary>
    public async Task<IReadOnlyList<HurtVersion>> ListHurtAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        return [.. (await connection.QueryAsync<(string Image, long Version, long Chunks)>(
            """
            SELECT i.name, v.number, count(*) FROM version_faults f JOIN image_versions v ON v.id = f.version_id JOIN images i ON i.id = v.image_id
            GROUP BY v.id ORDER BY i.name, v.number
            """)).Select(static h => new HurtVersion(h.Image, (int)h.Version, h.Chunks))];
    }

    /// <summary>How many unpinned versions an image keeps; null: all.</summary>
    public async Task<int?> KeepLastAsync(string imageName, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        return await connection.ExecuteScalarAsync<int?>("SELECT keep_last FROM images WHERE name = @imageName", new { imageName });
    }

    /// <param name="uniqueBytes">By version id.</param>
    public Task SetUniqueBytesAsync(IReadOnlyDictionary<long, long> uniqueBytes, CancellationToken cancellationToken) =>
        database.WriteAsync((connection, transaction) => connection.ExecuteAsync(
            "UPDATE image_versions SET unique_bytes = @bytes WHERE id = @id", uniqueBytes.Select(static u => new { id = u.Key, bytes = u.Value }), transaction), cancellationToken);

    public Task SetVerifiedAsync(IEnumerable<long> versionIds, DateTimeOffset at, CancellationToken cancellationToken) =>
        database.WriteAsync((connection, transaction) => connection.ExecuteAsync(
            "UPDATE image_versions SET verified_at = @at WHERE id = @id", versionIds.Select(id => new { id, at = at.ToUnixTimeMilliseconds() }), transaction), cancellationToken);
}

/// <param name="ManifestHash">Several versions may share one manifest.</param>
internal sealed record VersionManifest(long VersionId, string ManifestHash, string ImageName, long Number)
{
    public string Name => $"{ImageName} version {Number}";
}

/// <summary>A version that cannot be deployed now.</summary>
/// <param name="BadChunks">How many of its chunks are bad or missing.</param>
internal sealed record HurtVersion(string Image, int Version, long BadChunks);
