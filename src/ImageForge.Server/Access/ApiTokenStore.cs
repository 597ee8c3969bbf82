using Dapper;
using ImageForge.Server.Data;

namespace ImageForge.Server.Access;

internal sealed class ApiTokenStore(Database database, TimeProvider time)
{
    private static readonly TimeSpan LastUsedResolution = TimeSpan.FromMinutes(1);

    /// <summary>Makes a token; its secret is returned here and never again.</summary>
    public Task<(ApiToken Token, string Secret)> CreateAsync(
        string name, IReadOnlyList<string> scopes, DateTimeOffset? expiresAt, long? userId, CancellationToken cancellationToken) =>
        database.WriteAsync(async (connection, transaction) =>
        {
            var secret = ApiToken.NewSecret();
            var now = time.NowMilliseconds();
            var id = await connection.ExecuteScalarAsync<long>(
                """
                INSERT INTO api_tokens (name, token_hash, scopes, user_id, created_at, expires_at)
                VALUES (@name, @hash, @scopes, @userId, @now, @expires) RETURNING id
                """,
                new { name, hash = ApiToken.Hash(secret), scopes = string.Join(' ', scopes), userId, now, expires = expiresAt?.ToUnixTimeMilliseconds() },
                transaction);
            return (new ApiToken(id, name, scopes, now.ToTime(), expiresAt, null), secret);
        }, cancellationToken);

    /// <summary>The token this secret belongs to unless it has expired; notes its use at most once a minute.</summary>
    public async Task<ApiToken?> FindBySecretAsync(string secret, CancellationToken cancellationToken)
    {
        if (!secret.StartsWith(ApiToken.Prefix, StringComparison.Ordinal) || secret.Length > 64)
            return null;
        ApiToken? token;
        await using (var connection = await database.OpenAsync(cancellationToken))
            token = (await connection.QueryAsync<Row>($"{Select} WHERE token_hash = @hash", new { hash = ApiToken.Hash(secret) })).Select(ToToken).FirstOrDefault();
        var now = time.GetUtcNow();
        if (token is null || token.ExpiresAt <= now)
            return null;
        if (token.LastUsedAt is null || now - token.LastUsedAt >= LastUsedResolution)
            await database.WriteAsync((connection, transaction) => connection.ExecuteAsync(
                "UPDATE api_tokens SET last_used_at = @now WHERE id = @Id", new { token.Id, now = now.ToUnixTimeMilliseconds() }, transaction), cancellationToken);
        return token;
    }

    public async Task<IReadOnlyList<ApiToken>> ListAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        return [.. (await connection.QueryAsync<Row>($"{Select} ORDER BY id")).Select(ToToken)];
    }

    /// <summary>False: there was no such token.</summary>
    public Task<bool> DeleteAsync(long id, CancellationToken cancellationToken) =>
        database.WriteAsync(async (connection, transaction) =>
            await connection.ExecuteAsync("DELETE FROM api_tokens WHERE id = @id", new { id }, transaction) > 0, cancellationToken);

    private const string Select = "SELECT id, name, scopes, created_at, expires_at, last_used_at FROM api_tokens";

    private static ApiToken ToToken(Row row) =>
        new(row.Id, row.Name, row.Scopes.Split(' '), row.CreatedAt.ToTime(), row.ExpiresAt.ToTime(), row.LastUsedAt.ToTime());

    private sealed class Row
    {
        public long Id { get; init; }
        public string Name { get; init; } = "";
        public string Scopes { get; init; } = "";
        public long CreatedAt { get; init; }
        public long? ExpiresAt { get; init; }
        public long? LastUsedAt { get; init; }
    }
}
