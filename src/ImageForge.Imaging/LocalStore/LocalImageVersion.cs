using System.Text.Json.Serialization;

namespace ImageForge.Imaging.LocalStore;

/// <summary>A sealed version: immutable, its manifest and every chunk it names are in the store.</summary>
/// <param name="Number">From 1; a number is never used again, also not after the version was deleted.</param>
/// <param name="ManifestHash">Lower-case hex SHA-256 of the manifest.</param>
/// <param name="Source">Where it was captured or imported from, for people.</param>
/// <param name="DiskBytes">Size of the captured disk.</param>
/// <param name="UsedBytes">Bytes of used blocks.</param>
/// <param name="ChunkCount">Different chunks.</param>
/// <param name="StoredBytes">Their stored frames; chunks shared with other versions count in each.</param>
public sealed record LocalImageVersion(
    string Image,
    int Number,
    string ManifestHash,
    DateTimeOffset SealedAt,
    string Source,
    long DiskBytes,
    long UsedBytes,
    long ChunkCount,
    long StoredBytes)
{
    public override string ToString() => $"{Image}:{Number}";
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(LocalImageVersion))]
internal sealed partial class LocalStoreJson : JsonSerializerContext;
