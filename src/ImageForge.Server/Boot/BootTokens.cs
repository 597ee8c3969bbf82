using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Dapper;
using ImageForge.Contracts;
using ImageForge.Server.Data;
using Microsoft.Data.Sqlite;

namespace ImageForge.Server.Boot;

internal enum TokenOutcome
{
    /// <summary>Good; see <see cref="TokenRedemption.Replay"/>.</summary>
    Ok,

    /// <summary>Never minted, or revoked.</summary>
    Unknown,

    /// <summary>Older than its ten minutes, or its first use is longer ago than a lost reply can explain.</summary>
    Expired,

    /// <summary>Already used with another nonce: somebody copied it. Raise an alarm.</summary>
    OtherNonce,
}

/// <param name="Mac">The machine the token was minted for; set whenever the token is known.</param>
/// <param name="Replay">True: the same token and nonce came before and must get the same answer.</param>
internal sealed record TokenRedemption(TokenOutcome Outcome, long TaskId, MacAddress Mac, bool Replay);

/// <summary>
/// One-time tokens that a boot script carries to the agent. 32 random bytes, base64url; the database holds only their SHA-256.
/// Several may be outstanding (a machine may fetch its script more than once); the first check-in ends the others
/// through <see cref="RevokeForTaskAsync"/>.
/// </summary>
internal sealed class BootTokens(Database database, BootOptions options, TimeProvider time)
{
    // More outstanding tokens than a rebooting machine can need; the oldest go.
    private const int MaxPerTask = 16;

    public const int Length = 43;

    public Task<string> MintAsync(long taskId, MacAddress mac, CancellationToken cancellationToken, SqliteTransaction? joined = null)
    {
        var token = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
        return database.WriteAsync(joined, async (connection, transaction) =>
        {
            var now = time.NowMilliseconds();
            await connection.ExecuteAsync(
                """
                DELETE FROM boot_tokens WHERE expires_at < @longAgo;
                DELETE FROM boot_tokens WHERE task_id = @taskId AND used_at IS NULL AND token_hash NOT IN (
                    SELECT token_hash FROM boot_tokens WHERE task_id = @taskId AND used_at IS NULL ORDER BY created_at DESC LIMIT @keep);
                INSERT INTO boot_tokens (token_hash, task_id, mac, created_at, expires_at) VALUES (@hash, @taskId, @mac, @now, @expires);
                """,
                new
                {
                    hash = Hash(token),
                    taskId,
                    mac = mac.ToString(),
                    now,
                    expires = now + (long)TimeSpan.FromMinutes(options.TokenMinutes).TotalMilliseconds,
                    keep = MaxPerTask - 1,
                    // Used and expired tokens stay a day, so that a late copy is told apart from a guess.
                    longAgo = now - (long)TimeSpan.FromDays(1).TotalMilliseconds,
                }, transaction);
            return token;
        }, cancellationToken);
    }

    /// <summary>Uses a token: the first nonce is remembered, the same nonce is a replay for 60 s, any other is refused.</summary>
    /// <param name="joined">Joins the caller's transaction: a check-in that fails later must not have burnt the token.</param>
    public Task<TokenRedemption> RedeemAsync(string token, string nonce, CancellationToken cancellationToken, SqliteTransaction? joined = null) =>
        database.WriteAsync(joined, (connection, transaction) => RedeemAsync(connection, transaction, token, nonce), cancellationToken);

    /// <summary>Ends every token of the task except the one the agent came with.</summary>
    public Task<int> RevokeForTaskAsync(long taskId, string? exceptToken, CancellationToken cancellationToken, SqliteTransaction? joined = null) =>
        database.WriteAsync(joined, (connection, transaction) => connection.ExecuteAsync(
            "DELETE FROM boot_tokens WHERE task_id = @taskId AND token_hash <> @except",
            new { taskId, except = exceptToken is null ? [] : Hash(exceptToken) }, transaction), cancellationToken);

    public static byte[] Hash(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));

    private async Task<TokenRedemption> RedeemAsync(SqliteConnection connection, SqliteTransaction transaction, string token, string nonce)
    {
        // Looked up by its hash: what an attacker can time is the comparison of hashes, which tells nothing of the token.
        var hash = Hash(token);
        var row = await connection.QuerySingleOrDefaultAsync<TokenRow>(
            "SELECT task_id, mac, expires_at, nonce_hash, used_at FROM boot_tokens WHERE token_hash = @hash", new { hash }, transaction);
        if (row is null)
            return new TokenRedemption(TokenOutcome.Unknown, 0, default, false);
        var now = time.NowMilliseconds();
        var mac = MacAddress.Parse(row.Mac);
        var nonceHash = Hash(nonce);
        if (row.UsedAt is { } used)
        {
            if (!CryptographicOperations.FixedTimeEquals(row.NonceHash, nonceHash))
                return new TokenRedemption(TokenOutcome.OtherNonce, row.TaskId, mac, false);
            return now - used <= options.NonceReplaySeconds * 1000L
                ? new TokenRedemption(TokenOutcome.Ok, row.TaskId, mac, true)
                : new TokenRedemption(TokenOutcome.Expired, row.TaskId, mac, false);
        }
        if (now > row.ExpiresAt)
            return new TokenRedemption(TokenOutcome.Expired, row.TaskId, mac, false);
        await connection.ExecuteAsync("UPDATE boot_tokens SET nonce_hash = @nonceHash, used_at = @now WHERE token_hash = @hash",
            new { nonceHash, now, hash }, transaction);
        return new TokenRedemption(TokenOutcome.Ok, row.TaskId, mac, false);
    }

    private sealed class TokenRow
    {
        public long TaskId { get; set; }
        public string Mac { get; set; } = "";
        public long ExpiresAt { get; set; }
        public byte[]? NonceHash { get; set; }
        public long? UsedAt { get; set; }
    }
}
