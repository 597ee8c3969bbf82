using Dapper;
using ImageForge.Server.Data;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace ImageForge.Server.Access;

internal sealed record User(long Id, string Name);

/// <summary>People who sign in. Passwords are kept as the framework's PBKDF2-HMAC-SHA512 hashes.</summary>
internal sealed class UserStore(Database database, TimeProvider time)
{
    private static readonly PasswordHasher<User> Hasher = new(Options.Create(new PasswordHasherOptions { IterationCount = 300_000 }));

    // Made at once, not at the first wrong name: even that one must not take longer.
    private readonly Task<string> _nobodysHash = Task.Run(static () => Hasher.HashPassword(new User(0, ""), ApiToken.NewSecret()));

    public async Task<bool> AnyAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        return await connection.ExecuteScalarAsync<long>("SELECT EXISTS (SELECT 1 FROM users)") != 0;
    }

    /// <summary>Null: somebody was first.</summary>
    public Task<User?> CreateFirstAsync(string name, string password, CancellationToken cancellationToken)
    {
        var hash = Hasher.HashPassword(new User(0, name), password);
        return database.WriteAsync<User?>(async (connection, transaction) =>
        {
            var id = await connection.ExecuteScalarAsync<long?>(
                """
                INSERT INTO users (name, password_hash, created_at)
                SELECT @name, @hash, @now WHERE NOT EXISTS (SELECT 1 FROM users) RETURNING id
                """, new { name, hash, now = time.NowMilliseconds() }, transaction);
            return id is { } made ? new User(made, name) : null;
        }, cancellationToken);
    }

    /// <summary>The user when name and password fit. A name nobody has takes as long as a wrong password.</summary>
    public async Task<User?> VerifyAsync(string name, string password, CancellationToken cancellationToken)
    {
        (long Id, string Name, string Hash) row;
        await using (var connection = await database.OpenAsync(cancellationToken))
            row = (await connection.QueryAsync<(long, string, string)>("SELECT id, name, password_hash FROM users WHERE name = @name", new { name })).FirstOrDefault();
        var user = new User(row.Id, row.Name ?? name);
        var verdict = Hasher.VerifyHashedPassword(user, row.Hash ?? await _nobodysHash, password);
        return row.Hash is not null && verdict != PasswordVerificationResult.Failed ? user : null;
    }
}
