using System.Text.Json.Serialization;

namespace ImageForge.Contracts;

[JsonConverter(typeof(CamelCaseEnumConverter<DeployMode>))]
public enum DeployMode
{
    /// <summary>The image's tables replace the disk's; whatever was on the disk is lost.</summary>
    WholeDisk,

    /// <summary>Some volumes are restored in place; the partition table and every other volume stay as they are.</summary>
    SelectedVolumes,
}

/// <summary>What becomes of one partition.</summary>
[JsonConverter(typeof(CamelCaseEnumConverter<VolumeChange>))]
public enum VolumeChange
{
    /// <summary>Made by the deploy, at its place and of its size in the image.</summary>
    Created,

    /// <summary>It is on the disk already and its content is replaced.</summary>
    Restored,

    /// <summary>It is on the disk already and not a byte of it is touched.</summary>
    Kept,

    /// <summary>Made larger than in the image, to fill the disk.</summary>
    Grown,

    /// <summary>Made at another place than in the image, behind a grown one.</summary>
    Moved,
}

/// <summary>What a deploy is about to do to which disk, shown before the first write. Sizes and counts are bytes.</summary>
/// <param name="Resuming">The disk carries the mark of this very deploy, unfinished: what is right on it is kept.</param>
/// <param name="Volumes">Every partition of the disk afterwards, in disk order.</param>
/// <param name="BytesToWrite">Used content to put on the disk, less what a comparison finds to be right.</param>
/// <param name="BytesToFetchAtMost">Plain bytes of data chunks, before compression.</param>
/// <param name="Erases">One sentence: what is lost.</param>
/// <param name="BytesToCompare">Read from the disk at most, to find out what need not be fetched.</param>
/// <param name="BytesToReadBack">Read again at most after writing, to prove it.</param>
/// <param name="Found">What is on the disk now; null where nobody has looked (a plan made by the server from an inventory).</param>
/// <param name="Notes">What else people should know before they say yes.</param>
/// <param name="MoreDisks">The plans for the other disks of an image that has several, in its order; they have none themselves.</param>
public sealed record DeployPlan(
    string DiskName,
    string? DiskModel,
    string? DiskSerial,
    long DiskSizeBytes,
    int SectorSize,
    bool Resuming,
    IReadOnlyList<PlannedVolume> Volumes,
    long BytesToWrite,
    long BytesToFetchAtMost,
    string Erases,
    DeployMode Mode = DeployMode.WholeDisk,
    long BytesToCompare = 0,
    long BytesToReadBack = 0,
    IReadOnlyList<FoundVolume>? Found = null,
    IReadOnlyList<string>? Notes = null,
    IReadOnlyList<DeployPlan>? MoreDisks = null);

/// <param name="SizeBytes">Of the partition on the target.</param>
/// <param name="UsedBytes">Content to put there; 0 for one that is kept.</param>
/// <param name="ImageOffsetBytes">Place in the image, where it differs.</param>
/// <param name="ImageSizeBytes">Size in the image, where it differs.</param>
public sealed record PlannedVolume(
    int Number,
    string Name,
    string FileSystem,
    long OffsetBytes,
    long SizeBytes,
    long UsedBytes,
    VolumeChange Change = VolumeChange.Created,
    long? ImageOffsetBytes = null,
    long? ImageSizeBytes = null);

/// <summary>A partition that is on the target before the deploy.</summary>
/// <param name="Name">Of the partition.</param>
/// <param name="FileSystem">Lower case as in the manifest's README; <c>unknown</c> where none was recognised.</param>
/// <param name="Label">Of the file system.</param>
/// <param name="UsedBytes">Content by the file system's own account; null: not known.</param>
/// <param name="Erased">False: the deploy leaves it alone.</param>
public sealed record FoundVolume(int Number, string? Name, string FileSystem, string? Label, long OffsetBytes, long SizeBytes, long? UsedBytes, bool Erased);
