namespace ImageForge.Server.StoreCare;

/// <param name="DryRun">Only count what would be removed.</param>
internal sealed record SweepRequest(bool DryRun = false);

/// <summary>How far a sweep is and what it found. In a dry run what is <em>removed</em> would have been.</summary>
/// <param name="PartsDone">Of 256 parts of the store.</param>
/// <param name="ChunksSeen">Files looked at.</param>
/// <param name="ChunksNamed">Of these, named by a sealed version.</param>
/// <param name="ChunksYoung">Named by none, but younger than the grace period.</param>
/// <param name="ChunksCountedOn">Named by none, but a capture or session under way counts on them.</param>
/// <param name="TemporaryRemoved">Uploads of long ago and what else nobody writes to any more.</param>
internal sealed record SweepProgress(
    int PartsDone = 0,
    int Parts = 256,
    long ChunksSeen = 0,
    long ChunksNamed = 0,
    long ChunksYoung = 0,
    long ChunksCountedOn = 0,
    long ChunksRemoved = 0,
    long BytesRemoved = 0,
    int ManifestsRemoved = 0,
    int QuarantinedRemoved = 0,
    int TemporaryRemoved = 0,
    long LeasesReleased = 0,
    string? Problem = null);
