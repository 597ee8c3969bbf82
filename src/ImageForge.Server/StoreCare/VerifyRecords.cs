namespace ImageForge.Server.StoreCare;

/// <param name="Image">Null: every chunk of the store.</param>
/// <param name="Version">Null: all versions of the image.</param>
internal sealed record VerifyRequest(string? Image = null, int? Version = null);

/// <param name="FoldersDone">Of 65536 parts; a restart goes on with the next one.</param>
/// <param name="ChunksBad">Damaged; they are in quarantine now and asked for by the next capture that has them.</param>
/// <param name="ChunksMissing">Named by a version and not in the store.</param>
/// <param name="ChunksUnreadable">The disk could not read them; they stay where they are.</param>
/// <param name="BadManifests">Versions whose manifest is missing or damaged, as <c>lab version 3</c>.</param>
/// <param name="NewestVersion">Id of the newest version when it began; what was sealed later is not covered. Null: it has not begun.</param>
/// <param name="NotVerified">Ids of versions that have unreadable chunks, or whose chunks nobody can tell.</param>
internal sealed record VerifyProgress(
    int FoldersDone = 0,
    int Folders = 65_536,
    long ChunksGood = 0,
    long BytesRead = 0,
    long ChunksBad = 0,
    long ChunksMissing = 0,
    long ChunksUnreadable = 0,
    IReadOnlyList<string>? BadManifests = null,
    string? Problem = null,
    long? NewestVersion = null,
    IReadOnlyList<long>? NotVerified = null);
