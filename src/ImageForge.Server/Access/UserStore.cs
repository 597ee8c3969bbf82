using Dapper;
using ImageForge.Server.Data;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace ImageForge.Server.Access;

internal sealed record User(long Id, string Name);

/// <summary>People who sign in. Passwords are kept as the framework's PBKDF2-HMAC-SHA512 hashes.</summary>
internal sealed class UserStore
{
    private readonly Database _database;
    private readonly TimeProvider _time;
    private readonly PasswordHasher<User> _hasher;
    private readonly Task<string> _nobodysHash;

    public UserStore(Database database, TimeProvider time, AccessOptions options)
    {
        _database = database;
        _time = time;
        _hasher = new PasswordHasher<User>(Options.Create(new PasswordHasherOptions { IterationCount = options.PasswordIterations }));
        // Made at once, not at the first wrong name: even that one must not take longer.
        _nobodysHash = Task.Run(() => _hasher.HashPassword(new User(0, ""), ApiToken.NewSecret()));
    }

    public async Task<bool> AnyAsync(CancellationToken cancellationToken)
    {
        await using var connection = await _database.OpenAsync(cancellationToken);
        return await connection.ExecuteScalarAsync<long>("SELECT EXISTS (SELECT 1 FROM users)") != 0;
    }

    /// <summary>Null: somebody was first.</summary>
    public Task<User?> CreateFirstAsync(string name, string password, CancellationToken cancellationToken)
    {
        var hash = _hasher.HashPassword(new User(0, name), password);
        return _database.WriteAsync<User?>(async (connection, transaction) =>
        {
            var id = await connection.ExecuteScalarAsync<long?>(
                """
                INSERT INTO users (name, password_hash, created_at)
                SELECT @name, @hash, @now WHERE NOT EXISTS (SELECT 1 FROM users) RETURNING id
                """, new { name, hash, now = _time.NowMilliseconds() }, transaction);
            return id is { } made ? new User(made, name) : null;
        }, cancellationToken);
    }

    /// <summary>The user when name and password fit. A name nobody has takes as long as a wrong password.</summary>
    public async Task<User?> VerifyAsync(string name, string password, CancellationToken cancellationToken)
    {
        (long Id, string Name, string Hash) row;
        await using (var connection = await _database.OpenAsync(cancellationToken))
            row = (await connection.QueryAsync<(long, string, string)>("SELECT id, name, password_hash FROM users WHERE name = @name", new { name })).FirstOrDefault();
        var user = new User(row.Id, row.Name ?? name);
        var verdict = _hasher.VerifyHashedPassword(user, row.Hash ?? await _nobodysHash, password);
        return row.Hash is not null && verdict != PasswordVerificationResult.Failed ? user : null;
    }
}
