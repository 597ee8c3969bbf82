namespace ImageForge.Server.Access;

/// <summary>Section <c>ImageForge:Access</c>.</summary>
internal sealed class AccessOptions
{
    /// <summary>Rounds of PBKDF2-HMAC-SHA512 for a password; about 0.2 s of one core. Hashes made with other values stay valid.</summary>
    public int PasswordIterations { get; set; } = 300_000;
}
