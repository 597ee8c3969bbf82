using System.Text.Json.Serialization;

namespace ImageForge.Contracts;

/// <summary>What a capture does with a file system that was not closed cleanly: dirty, hibernated, or with work left in its journal.</summary>
[JsonConverter(typeof(CamelCaseEnumConverter<DirtyVolumes>))]
public enum DirtyVolumes
{
    /// <summary>Taken with every block, so that nothing is lost; a note says why.</summary>
    Whole,

    /// <summary>The capture fails before anything is read, with the cure.</summary>
    Refuse,
}

/// <summary>How a capture treats what is not as it should be.</summary>
/// <param name="AllowReadErrors">True: unreadable used sectors become zeros and the image is marked damaged, with the list. False: the capture fails.</param>
/// <param name="Disks">Serials or WWNs of several disks for one image, in their order; null: one disk, by the assignment's own rule.</param>
public sealed record CaptureChoices(
    DirtyVolumes Dirty = DirtyVolumes.Whole,
    bool AllowReadErrors = false,
    IReadOnlyList<string>? Disks = null);

/// <summary>
/// Which disk is meant; every member that is set must hold. Removable media and the boot medium count only if named by
/// <paramref name="Serial"/> or <paramref name="Wwn"/>. More than one fit: refused.
/// </summary>
/// <param name="Bus">As in <see cref="DiskInventory.Bus"/>.</param>
public sealed record DiskRule(
    string? Serial = null,
    string? Wwn = null,
    long? MinBytes = null,
    long? MaxBytes = null,
    bool? Rotational = null,
    string? Bus = null);

[JsonConverter(typeof(CamelCaseEnumConverter<DiskIdentity>))]
public enum DiskIdentity
{
    /// <summary>GUIDs and signatures are those of the image.</summary>
    Keep,

    /// <summary>New disk and partition GUIDs (GPT) or a new disk signature (MBR).</summary>
    Randomise,
}

[JsonConverter(typeof(CamelCaseEnumConverter<BootEntries>))]
public enum BootEntries
{
    /// <summary>UEFI: the restored system's entries are set behind the network's, duplicates removed, the fallback loader repaired.</summary>
    Repair,

    Leave,
}

/// <summary>How a deploy lays the image out on the target.</summary>
/// <param name="Rules">One rule per disk of the image, in its order; null: the assignment's own disk, or the only internal one.</param>
/// <param name="Volumes">Numbers of the partitions to restore onto a disk that already has them; the others are kept. Null: the whole disk.</param>
/// <param name="Fill">Grow a partition and its file system to the end of a larger disk.</param>
/// <param name="GrowVolume">Number of the partition to grow; null: the last one that can.</param>
public sealed record DeployChoices(
    IReadOnlyList<DiskRule>? Rules = null,
    IReadOnlyList<int>? Volumes = null,
    bool Fill = false,
    int? GrowVolume = null,
    DiskIdentity Identity = DiskIdentity.Keep,
    BootEntries BootEntries = BootEntries.Repair);
