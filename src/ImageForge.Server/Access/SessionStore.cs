using System.Buffers.Text;
using System.Security.Cryptography;
using Dapper;
using ImageForge.Server.Data;

namespace ImageForge.Server.Access;

/// <summary>Logins in browsers: a random secret in a cookie, its SHA-256 here. 12 hours unused or 7 days in all end one.</summary>
internal sealed class SessionStore(Database database, TimeProvider time)
{
    private static readonly TimeSpan IdleFor = TimeSpan.FromHours(12);
    private static readonly TimeSpan AtMost = TimeSpan.FromDays(7);
    private static readonly TimeSpan LastUsedResolution = TimeSpan.FromMinutes(1);

    public Task<string> CreateAsync(long userId, CancellationToken cancellationToken) =>
        database.WriteAsync(async (connection, transaction) =>
        {
            var secret = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
            var now = time.GetUtcNow();
            await connection.ExecuteAsync("DELETE FROM sessions WHERE created_at < @oldest OR last_used_at < @idle",
                new { oldest = (now - AtMost).ToUnixTimeMilliseconds(), idle = (now - IdleFor).ToUnixTimeMilliseconds() }, transaction);
            await connection.ExecuteAsync("INSERT INTO sessions (secret_hash, user_id, created_at, last_used_at) VALUES (@hash, @userId, @now, @now)",
                new { hash = ApiToken.Hash(secret), userId, now = now.ToUnixTimeMilliseconds() }, transaction);
            return secret;
        }, cancellationToken);

    public async Task<User?> FindUserAsync(string secret, CancellationToken cancellationToken)
    {
        if (secret.Length > 64)
            return null;
        var hash = ApiToken.Hash(secret);
        (long Id, string Name, long Created, long Used) row;
        await using (var connection = await database.OpenAsync(cancellationToken))
            row = (await connection.QueryAsync<(long, string, long, long)>(
                "SELECT u.id, u.name, s.created_at, s.last_used_at FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.secret_hash = @hash", new { hash })).FirstOrDefault();
        var now = time.GetUtcNow();
        if (row.Name is null || now - row.Created.ToTime() > AtMost || now - row.Used.ToTime() > IdleFor)
            return null;
        if (now - row.Used.ToTime() >= LastUsedResolution)
            await database.WriteAsync((connection, transaction) => connection.ExecuteAsync(
                "UPDATE sessions SET last_used_at = @now WHERE secret_hash = @hash", new { hash, now = now.ToUnixTimeMilliseconds() }, transaction), cancellationToken);
        return new User(row.Id, row.Name);
    }

    public Task DeleteAsync(string secret, CancellationToken cancellationToken) =>
        database.WriteAsync((connection, transaction) => connection.ExecuteAsync(
            "DELETE FROM sessions WHERE secret_hash = @hash", new { hash = ApiToken.Hash(secret) }, transaction), cancellationToken);
}
