using System.Security.Cryptography;
using System.Text;
using ImageForge.Server.Data;

namespace ImageForge.Server.Agents;

/// <summary>
/// Task tokens: HMAC-SHA256(server secret, boot token ‖ 0 ‖ nonce), base64url. Derived, so that a check-in whose answer was lost gets
/// the same token again even from a server that was restarted, and nothing but its hash is stored.
/// </summary>
internal sealed class TaskTokens(DataFolder folder)
{
    /// <summary>Characters of a token: 32 bytes in base64url without padding.</summary>
    public const int Length = 43;

    private readonly byte[] _secret = folder.Secret("task-tokens");

    public string Derive(string bootToken, string nonce) =>
        ToBase64Url(HMACSHA256.HashData(_secret, Encoding.UTF8.GetBytes($"{bootToken}\0{nonce}")));

    /// <summary>What is stored of a token.</summary>
    public static byte[] Hash(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));

    private static string ToBase64Url(byte[] bytes) => System.Buffers.Text.Base64Url.EncodeToString(bytes);
}
