using System.Buffers.Text;
using System.Security.Cryptography;

namespace ImageForge.Server.Access;

/// <summary>The one-time code with which the first administrator is made: whoever reads the console is trusted once. New at each start.</summary>
internal sealed class SetUpCode(UserStore users)
{
    private byte[]? _hash;

    /// <summary>A new code, which voids the one before; null once a user exists.</summary>
    public async Task<string?> IssueAsync(CancellationToken cancellationToken)
    {
        if (await users.AnyAsync(cancellationToken))
        {
            _hash = null;
            return null;
        }
        var code = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(18));
        _hash = ApiToken.Hash(code);
        return code;
    }

    public bool Matches(string code) => _hash is { } hash && CryptographicOperations.FixedTimeEquals(ApiToken.Hash(code), hash);

    public void Void() => _hash = null;
}
