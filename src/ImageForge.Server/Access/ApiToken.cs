using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace ImageForge.Server.Access;

/// <param name="Scopes">As given; a wider scope includes the narrower ones.</param>
internal sealed record ApiToken(long Id, string Name, IReadOnlyList<string> Scopes, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt, DateTimeOffset? LastUsedAt)
{
    public const string Prefix = "ifk_";

    /// <summary><c>ifk_</c> and 32 random bytes as base64url: recognisable by secret scanners, shown once.</summary>
    public static string NewSecret() => Prefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));

    /// <summary>SHA-256 suffices at rest: the secret has 256 random bits, there is nothing to guess.</summary>
    public static byte[] Hash(string secret) => SHA256.HashData(Encoding.UTF8.GetBytes(secret));
}
