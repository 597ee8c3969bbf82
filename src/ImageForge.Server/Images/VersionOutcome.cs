namespace ImageForge.Server.Images;

/// <param name="Code">lowerCamel: <c>versionPinned</c>, <c>versionCurrent</c>, <c>versionInUse</c>, <c>imageInUse</c>.</param>
internal sealed record KeepReason(string Code, string Sentence, string Cure);

/// <summary>What changing or deleting an image or a version led to.</summary>
internal abstract record VersionOutcome
{
    /// <param name="Version">As it is now; for a deletion as it was.</param>
    public sealed record Done(ImageVersion Version) : VersionOutcome;

    public sealed record ImageUnknown : VersionOutcome;

    public sealed record VersionUnknown : VersionOutcome;

    /// <summary>Nothing was changed.</summary>
    public sealed record Kept(IReadOnlyList<KeepReason> Reasons) : VersionOutcome;
}
