using ImageForge.Contracts;
using ImageForge.Imaging.FileSystems;
using ImageForge.Imaging.Manifests;
using ImageForge.Server.Access;
using ImageForge.Server.Data;
using ImageForge.Server.Errors;
using ImageForge.Server.ImageStore;
using Microsoft.AspNetCore.Http.HttpResults;

namespace ImageForge.Server.Images;

/// <summary><c>/api/v1/images</c>: what has been captured.</summary>
internal static class ImageEndpoints
{
    private const string Base = "/api/v1/images";

    public static void MapImageEndpoints(this WebApplication app)
    {
        var images = app.MapGroup(Base).RequireAuthorization(Scopes.Read).WithTags("Images");
        images.MapGet("", ListAsync).WithName("listImages");
        images.MapGet("{name}", GetAsync).WithName("getImage");
        images.MapGet("{name}/versions/{number:int}", GetVersionAsync).WithName("getImageVersion");
        app.MapGet("/api/v1/image-signing-key", (ImageSigningKey key) => TypedResults.Text(key.PublicKeyPem, "application/x-pem-file"))
            .RequireAuthorization(Scopes.Read).WithTags("Images").WithName("getImageSigningKey");
    }

    private static async Task<Ok<Page<ImageListing>>> ListAsync(int? offset, int? limit, ImageVersions versions, CancellationToken cancellationToken) =>
        TypedResults.Ok(await versions.ListImagesAsync(Paging.Of(offset, limit), cancellationToken));

    private static async Task<Results<Ok<ImageAnswer>, ProblemHttpResult>> GetAsync(string name, ImageVersions versions, CancellationToken cancellationToken) =>
        await versions.ListAsync(name, cancellationToken) is { } found
            ? TypedResults.Ok(new ImageAnswer(name, found.FirstOrDefault(static v => v.Current)?.Number, await versions.KeepLastAsync(name, cancellationToken), [.. found.Select(VersionSummary.Of)]))
            : NoSuchImage(name);

    private static async Task<Results<Ok<VersionAnswer>, ProblemHttpResult>> GetVersionAsync(
        string name, int number, ImageVersions versions, ManifestFiles manifests, CancellationToken cancellationToken)
    {
        if (await versions.FindAsync(name, number, cancellationToken) is not { } version)
            return await versions.ListAsync(name, cancellationToken) is null
                ? NoSuchImage(name)
                : NoSuchVersion(name, number);
        if (await manifests.ReadAsync(version.ManifestHash, cancellationToken) is not { } file)
            return Problems.InternalError("manifestMissing", $"The manifest of {name} version {number} is not in the store.",
                "Restore the store's manifests folder from a backup, or capture the image again.", Fault.Image);
        if (!ImageDisks.TryParse(file, out var image, out var failure))
            return Problems.InternalError(failure.Code, failure.Sentence, failure.Cure, failure.Fault);
        return TypedResults.Ok(VersionAnswer.Of(version, image));
    }

    public static ProblemHttpResult NoSuchImage(string name) =>
        Problems.NotFound("imageUnknown", $"There is no image named {name}.", $"List the images with GET {Base}.");

    public static ProblemHttpResult NoSuchVersion(string name, int number) =>
        Problems.NotFound("versionUnknown", $"Image {name} has no version {number}.", $"List its versions with GET {Base}/{name}.");
}

/// <param name="CurrentVersion">What a deploy gets that names no version.</param>
/// <param name="KeepLast">How many unpinned versions retention keeps; null: all.</param>
/// <param name="Versions">Newest first.</param>
internal sealed record ImageAnswer(string Name, int? CurrentVersion, int? KeepLast, IReadOnlyList<VersionSummary> Versions);

/// <param name="StoredBytes">All stored frames of it.</param>
/// <param name="UniqueBytes">What deleting it would free; null: not yet worked out.</param>
/// <param name="SharedBytes">What other versions have as well.</param>
/// <param name="NewBytes">What its capture had to send; null: nobody counted.</param>
/// <param name="ReusedBytes">What the store had before.</param>
/// <param name="Damaged">What could not be read from the source disk; null: everything was read.</param>
/// <param name="BadChunks">Chunks of it that are known to be bad or missing in the store now; 0: it can be deployed.</param>
/// <param name="VerifiedAt">When every chunk of it was last hashed.</param>
internal sealed record VersionSummary(
    int Number, bool Current, bool Pinned, int? DerivedFrom, string ManifestHash, DateTimeOffset SealedAt, long? CapturedByTask, long DiskBytes, long UsedBytes,
    long ChunkCount, long StoredBytes, long? UniqueBytes, long? SharedBytes, long? NewBytes, long? ReusedBytes, IReadOnlyList<DamagedPlace>? Damaged, long BadChunks, DateTimeOffset? VerifiedAt)
{
    public static VersionSummary Of(ImageVersion version) => new(
        version.Number, version.Current, version.Pinned, version.DerivedFrom, version.ManifestHash, version.SealedAt, version.TaskId, version.DiskBytes, version.UsedBytes,
        version.ChunkCount, version.StoredBytes, version.UniqueBytes, version.StoredBytes - version.UniqueBytes, version.NewBytes, version.StoredBytes - version.NewBytes,
        DamageList.Parse(version.Damaged), version.BadChunks, version.VerifiedAt);
}

/// <param name="Signature">ECDSA P-256 over the manifest's SHA-256, ASN.1 DER in base64; the key is at <c>/api/v1/image-signing-key</c>.</param>
/// <param name="PartitionScheme">none, mbr, gpt; this and what follows is of the first disk, which nearly always is the only one.</param>
/// <param name="MoreDisks">The other disks of the image, in order.</param>
internal sealed record VersionAnswer(
    string ImageName, VersionSummary Version, string Signature, string PartitionScheme, int SectorSize, string? DiskModel, string? DiskGuid, IReadOnlyList<VolumeAnswer> Volumes,
    IReadOnlyList<DiskAnswer> MoreDisks)
{
    public static VersionAnswer Of(ImageVersion version, ImageDisks image)
    {
        var first = DiskAnswer.Of(image.Disks[0]);
        return new VersionAnswer(version.ImageName, VersionSummary.Of(version), Convert.ToBase64String(version.Signature),
            first.PartitionScheme, first.SectorSize, first.DiskModel, first.DiskGuid, first.Volumes, [.. image.Disks.Skip(1).Select(DiskAnswer.Of)]);
    }
}

/// <param name="DiskSerial">Of the disk it was taken from.</param>
internal sealed record DiskAnswer(string PartitionScheme, int SectorSize, long DiskBytes, string? DiskModel, string? DiskSerial, string? DiskGuid, IReadOnlyList<VolumeAnswer> Volumes)
{
    public static DiskAnswer Of(ImageDisk disk) => new(
        disk.Manifest.Scheme.ToString().ToLowerInvariant(), disk.Manifest.SectorSize, disk.Manifest.DiskSizeBytes, disk.Manifest.DiskModel, disk.Serial,
        disk.Manifest.Gpt?.DiskGuid.ToString(), [.. disk.Manifest.Volumes.Select(VolumeAnswer.Of)]);
}

internal sealed record VolumeAnswer(
    int Number, string Name, string PartitionType, string FileSystem, string? Label, string? Uuid, string? Note,
    long OffsetBytes, long SizeBytes, long UsedBytes, int BlockSize, int ChunkSize)
{
    public static VolumeAnswer Of(ManifestVolume volume) => new(
        volume.Header.Partition.Number, volume.Header.Partition.Name ?? "", volume.Header.Partition.Type ?? "",
        volume.Header.FileSystem == FileSystemKind.Unknown ? "unknown" : volume.Header.FileSystem.ToString().ToLowerInvariant(),
        volume.Header.Label, volume.Header.Uuid, volume.Header.Note,
        volume.Header.Partition.Offset, volume.Header.Partition.Length, volume.UsedBytes, volume.Header.BlockSize, volume.Header.ChunkSize);
}
