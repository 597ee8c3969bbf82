namespace ImageForge.Server.Images;

/// <summary>A sealed version: immutable, its manifest and every chunk it names are in the store.</summary>
/// <param name="ManifestHash">Lower-case hex SHA-256 of the manifest.</param>
/// <param name="Signature">ECDSA P-256 over that hash, ASN.1 DER.</param>
/// <param name="TaskId">The host task that captured it.</param>
/// <param name="DiskBytes">Size of the captured disk.</param>
/// <param name="UsedBytes">Bytes of used blocks.</param>
/// <param name="ChunkCount">Different chunks.</param>
/// <param name="StoredBytes">Their stored frames; chunks shared with other versions count in each.</param>
internal sealed record ImageVersion(
    long Id,
    long ImageId,
    string ImageName,
    int Number,
    string ManifestHash,
    byte[] Signature,
    long? TaskId,
    DateTimeOffset SealedAt,
    long DiskBytes,
    long UsedBytes,
    long ChunkCount,
    long StoredBytes);

/// <param name="NewestVersion">Null before the first capture has been sealed.</param>
internal sealed record ImageListing(
    string Name,
    string? Description,
    DateTimeOffset CreatedAt,
    int Versions,
    int? NewestVersion,
    DateTimeOffset? SealedAt,
    long? DiskBytes,
    long? UsedBytes,
    long? StoredBytes);
