using System.Security.Cryptography;

namespace ImageForge.Imaging.Manifests;

/// <summary>The SHA-256 of a manifest file, by which versions, signatures and resume records name it.</summary>
public static class ManifestHash
{
    /// <summary>Lower-case hex over the whole file, trailer included.</summary>
    public static string Of(ReadOnlySpan<byte> file) => Convert.ToHexStringLower(SHA256.HashData(file));
}
