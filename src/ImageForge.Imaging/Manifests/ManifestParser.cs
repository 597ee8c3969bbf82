using System.Diagnostics.CodeAnalysis;
using ImageForge.Contracts;

namespace ImageForge.Imaging.Manifests;

/// <summary>Reads a manifest; every length is checked before it is believed.</summary>
public static class ManifestParser
{
    /// <summary>The bytes or the reason why not: <c>manifestCorrupt</c>, <c>manifestVersion</c>.</summary>
    /// <remarks>The manifest keeps no reference to <paramref name="file"/>.</remarks>
    public static bool TryParse(ReadOnlySpan<byte> file, [NotNullWhen(true)] out Manifest? manifest, [NotNullWhen(false)] out Failure? failure)
    {
        throw new NotImplementedException();
    }
}

/// <summary>A parsed manifest together with the SHA-256 of its file, by which versions, signatures and resume records name it.</summary>
public static class ManifestHash
{
    /// <summary>Lower-case hex.</summary>
    public static string Of(ReadOnlySpan<byte> file) => Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(file));
}
