using System.Globalization;
using ImageForge.Contracts;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.FileSystems;
using ImageForge.Imaging.Manifests;

namespace ImageForge.Imaging.Deploy;

/// <summary>
/// A deploy of some volumes into the partitions that are there for them: the table is not written, so each must have exactly the
/// place and size it has in the image.
/// </summary>
internal static class SelectedVolumes
{
    /// <param name="numbers">Of the image's partitions.</param>
    /// <param name="contents">Null: nobody has looked at the target yet; it is taken to match, and a note says so.</param>
    public static PlanOutcome Plan(Manifest image, string manifestHash, long diskSizeBytes, IReadOnlyList<int> numbers, TargetContents? contents)
    {
        var unknown = numbers.Where(n => !image.Volumes.Any(v => v.Header.Partition.Number == n)).ToList();
        if (unknown.Count > 0)
            return Refuse("volumeNotInImage", Fault.Image, $"The image has no volume {string.Join(", ", unknown)}; it has {string.Join(", ", image.Volumes.Select(v => v.Header.Partition.Number))}.",
                "Name volumes that the image has.");
        if (image.Scheme == PartitionScheme.None)
            return Refuse("noPartitionTable", Fault.Image, "The image has no partition table: it is one volume on the whole disk.", "Deploy the whole disk.");
        if (contents?.Record is { } unfinished)
            return Refuse("deployUnfinished", Fault.Disk, $"The disk carries an unfinished deploy of a whole image ({unfinished}), so it has no partitions to restore into.", "Deploy the whole disk until it succeeds.");
        if (contents is { Layout: null })
            return Refuse("volumeMismatch", Fault.Disk, $"The target's partition table cannot be used: {contents.Unusable?.Sentence}", "Deploy the whole disk, or repair the table.");

        var notes = new List<string>();
        var volumes = image.Volumes.Where(v => numbers.Contains(v.Header.Partition.Number)).ToList();
        if (contents is null)
            notes.Add("Whether the target's partitions are those of the image is seen when the machine has booted.");
        foreach (var volume in volumes)
            if (contents is not null && Mismatch(volume.Header, image, contents.Layout!, notes) is { } why)
                return Refuse("volumeMismatch", Fault.Disk, why, "Deploy the whole disk, or choose a disk that was deployed from this image.");
        var layout = LayoutMark.Of("selected", volumes.Select(v => v.Header.Partition));
        var places = volumes.Select(v => PlacedVolume.AsCaptured(v) with { Change = VolumeChange.Restored }).ToList();
        return new PlanOutcome(new WritePlan(image, image with { Volumes = volumes, Regions = [] }, places, [])
        {
            ManifestHash = manifestHash,
            DiskSizeBytes = diskSizeBytes,
            Mode = DeployMode.SelectedVolumes,
            Layout = layout,
            Resuming = contents is not null && volumes.Exists(v => contents.VolumeRecords.TryGetValue(v.Header.Partition.Offset, out var found)
                && found.IsOf(manifestHash, diskSizeBytes, image.SectorSize, layout)),
            Notes = notes,
        }, null);
    }

    private static string? Mismatch(VolumeHeader volume, Manifest image, DiskLayout target, List<string> notes)
    {
        var wanted = volume.Partition;
        var there = target.Partitions.FirstOrDefault(p => p.Offset == wanted.Offset && p.Length == wanted.Length);
        if (there is null || target.Scheme == PartitionScheme.None)
        {
            var numbered = target.Scheme == PartitionScheme.None ? null : target.Partitions.FirstOrDefault(p => p.Number == wanted.Number);
            return string.Create(CultureInfo.InvariantCulture, $"Volume {wanted.Number} of the image has {wanted.Length:N0} bytes at byte {wanted.Offset:N0}; ")
                + (target.Scheme == PartitionScheme.None ? "the target has no partition table."
                : numbered is null ? $"the target has no partition there and none with that number."
                : string.Create(CultureInfo.InvariantCulture, $"partition {numbered.Number} of the target has {numbered.Length:N0} bytes at byte {numbered.Offset:N0}."));
        }
        if (there.Number != wanted.Number)
            notes.Add($"Volume {wanted.Number} of the image is partition {there.Number} on the target; its place and size are the same.");
        if (target.Scheme != image.Scheme)
            notes.Add($"The target's table is {Name(target.Scheme)} and the image's was {Name(image.Scheme)}: what starts this volume may not find it.");
        else if (!string.Equals(there.Type, wanted.Type, StringComparison.OrdinalIgnoreCase))
            notes.Add($"Partition {there.Number} of the target has the type {there.Type}, in the image it was {wanted.Type}; the table is not changed.");
        if (volume.FileSystem == FileSystemKind.Btrfs || volume.FileSystem == FileSystemKind.Xfs)
            notes.Add($"Volume {wanted.Number} keeps the file system's UUID of the image: a copy of it elsewhere on the disk would clash.");
        return null;
    }

    private static string Name(PartitionScheme scheme) => scheme.ToString().ToUpperInvariant();

    private static PlanOutcome Refuse(string code, Fault fault, string sentence, string cure) => new(null, new Failure(code, fault, sentence, cure));
}
