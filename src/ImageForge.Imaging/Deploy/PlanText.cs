using ImageForge.Contracts;
using ImageForge.Imaging.Manifests;

namespace ImageForge.Imaging.Deploy;

/// <summary>A write plan in the words and numbers that people see.</summary>
internal static class PlanText
{
    public static DeployPlan Of(WritePlan plan, DiskInventory disk, TargetContents? contents, bool readBack)
    {
        var selected = plan.Mode == DeployMode.SelectedVolumes;
        var written = plan.Manifest.Volumes.Select((volume, i) => Planned(volume, plan.Places[i]));
        var kept = (selected ? contents?.Volumes ?? [] : []).Where(f => !IsWritten(plan, f))
            .Select(f => new PlannedVolume(f.Number, f.Name ?? f.Label ?? "", f.FileSystem, f.OffsetBytes, f.SizeBytes, 0, VolumeChange.Kept));
        var found = contents?.Volumes.Select(f => f with { Erased = !selected || IsWritten(plan, f) }).ToList();
        return new DeployPlan(
            disk.Name, disk.Model, disk.Serial, plan.DiskSizeBytes, plan.Manifest.SectorSize, plan.Resuming,
            [.. written.Concat(kept).OrderBy(v => v.OffsetBytes)],
            plan.BytesToWrite, plan.BytesToFetchAtMost, Erases(plan, disk, contents),
            plan.Mode,
            BytesToCompare: plan.Resuming ? plan.BytesToWrite : 0,
            BytesToReadBack: readBack ? plan.BytesToWrite : 0,
            found,
            [.. plan.Notes, .. plan.Manifest.DamageNotes(), .. plan.Manifest.Volumes.Where(v => v.Header.Note is not null).Select(v => $"Volume {v.Header.Partition.Number}: {v.Header.Note}"), .. contents?.Layout?.Notes.Select(n => $"Target: {n}") ?? []]);
    }

    private static string Erases(WritePlan plan, DiskInventory disk, TargetContents? contents)
    {
        var name = TargetDisk.Describe(disk);
        if (plan.Mode == DeployMode.SelectedVolumes)
        {
            var numbers = string.Join(", ", plan.Manifest.Volumes.Select(v => v.Header.Partition.Number));
            var which = plan.Manifest.Volumes.Count == 1 ? $"volume {numbers}" : $"volumes {numbers}";
            return plan.Resuming ? $"Continues the unfinished deploy of {which} on {name}." : $"Erases {which} on {name} and nothing else.";
        }
        if (plan.Resuming)
            return $"Continues the unfinished deploy on {name}.";
        var lost = contents is { Volumes.Count: > 0 and var count } ? $" {count} {(count == 1 ? "partition is" : "partitions are")} lost." : "";
        return $"Erases everything on {name}.{lost}";
    }

    private static bool IsWritten(WritePlan plan, FoundVolume found) => plan.Places.Any(p => p.Offset == found.OffsetBytes && p.Length == found.SizeBytes);

    private static PlannedVolume Planned(ManifestVolume volume, PlacedVolume place)
    {
        var header = volume.Header;
        return new PlannedVolume(header.Partition.Number, header.Partition.Name ?? header.Label ?? "", header.FileSystem.ToString().ToLowerInvariant(),
            place.Offset, place.Length, volume.UsedBytes, place.Change,
            place.IsMoved ? place.Image.Offset : null, place.Grows != 0 ? place.Image.Length : null);
    }
}
