namespace ImageForge.Server.Images;

/// <summary>A sealed version: immutable, its manifest and every chunk it names are in the store.</summary>
/// <param name="ManifestHash">Lower-case hex SHA-256 of the manifest.</param>
/// <param name="Signature">ECDSA P-256 over that hash, ASN.1 DER.</param>
/// <param name="TaskId">The host task that captured it.</param>
/// <param name="DiskBytes">Size of the captured disk.</param>
/// <param name="UsedBytes">Bytes of used blocks.</param>
/// <param name="ChunkCount">Different chunks.</param>
/// <param name="StoredBytes">Their stored frames; chunks shared with other versions count in each.</param>
/// <param name="NewBytes">Of these, what its capture had to send because the store lacked it; null: nobody counted.</param>
/// <param name="UniqueBytes">Of these, what no other version has; null: not yet worked out.</param>
/// <param name="Current">What a deploy gets that names no version.</param>
/// <param name="Pinned">Neither retention nor a person deletes it.</param>
/// <param name="DerivedFromId">The version this one was made from, for example by shrinking.</param>
/// <param name="DerivedFrom">The number of that version.</param>
/// <param name="Damaged">JSON list of what could not be read from the source disk; null: everything was read.</param>
/// <param name="VerifiedAt">When every chunk of it was last hashed.</param>
/// <param name="BadChunks">Chunks of it that are known to be bad or missing in the store now.</param>
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
    long StoredBytes,
    long? NewBytes,
    long? UniqueBytes,
    bool Current,
    bool Pinned,
    long? DerivedFromId,
    int? DerivedFrom,
    string? Damaged,
    DateTimeOffset? VerifiedAt,
    long BadChunks);

/// <param name="NewestVersion">Null before the first capture has been sealed; the numbers that follow are of this one.</param>
/// <param name="CurrentVersion">What a deploy gets that names no version.</param>
/// <param name="KeepLast">How many unpinned versions retention keeps; null: all.</param>
internal sealed record ImageListing(
    string Name,
    string? Description,
    DateTimeOffset CreatedAt,
    int Versions,
    int? NewestVersion,
    int? CurrentVersion,
    int? KeepLast,
    DateTimeOffset? SealedAt,
    long? DiskBytes,
    long? UsedBytes,
    long? StoredBytes);
