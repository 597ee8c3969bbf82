using System.Diagnostics.CodeAnalysis;
using ImageForge.Contracts;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Manifests;
using ImageForge.Imaging.Resize;

namespace ImageForge.Imaging.Deploy;

/// <summary>A plan, or why nothing may be written.</summary>
public sealed record PlanOutcome(WritePlan? Plan, Failure? Failure)
{
    [MemberNotNullWhen(true, nameof(Plan))]
    [MemberNotNullWhen(false, nameof(Failure))]
    public bool IsPlanned => Plan is not null;
}

/// <summary>Decides whether an image fits a disk and what will be written; touches no disk.</summary>
public static class DeployPlanner
{
    /// <param name="manifestHash">Lower-case hex SHA-256 of the manifest file.</param>
    /// <param name="found">The resume record on the target, if any.</param>
    public static PlanOutcome Plan(Manifest manifest, string manifestHash, long diskSizeBytes, int sectorSize, ResumeRecord? found) =>
        Plan(manifest, manifestHash, diskSizeBytes, sectorSize, found, null, null);

    /// <summary>The same for a target that was looked at, laid out as the job chose.</summary>
    public static PlanOutcome Plan(Manifest manifest, string manifestHash, long diskSizeBytes, int sectorSize, DeployChoices? choices, TargetContents contents) =>
        Plan(manifest, manifestHash, diskSizeBytes, sectorSize, contents.Record, choices, contents);

    /// <summary>The same before anybody has looked at the target: nothing is known of what is on it.</summary>
    public static PlanOutcome Foresee(Manifest manifest, string manifestHash, long diskSizeBytes, int sectorSize, DeployChoices? choices) =>
        Plan(manifest, manifestHash, diskSizeBytes, sectorSize, null, choices, null);

    private static PlanOutcome Plan(Manifest manifest, string manifestHash, long diskSizeBytes, int sectorSize, ResumeRecord? found, DeployChoices? choices, TargetContents? contents)
    {
        if (sectorSize != manifest.SectorSize)
            return Refuse("sectorSizeMismatch",
                $"The image was taken from a disk with sectors of {manifest.SectorSize} bytes and the target has {sectorSize}.",
                "Deploy to a disk with the same sector size; many NVMe disks can be switched with nvme format.");
        if (choices?.Volumes is { Count: > 0 } numbers)
            return SelectedVolumes.Plan(manifest, manifestHash, diskSizeBytes, numbers, contents);
        var needed = NeededBytes(manifest);
        if (diskSizeBytes < needed)
            return Refuse("diskTooSmall",
                $"The image needs a disk of at least {ByteText.Exact(needed)} and the target has {ByteText.Exact(diskSizeBytes)}; shrunk it would need about {ByteText.Of(ShrinkEstimate.LeastBytes(manifest))}.",
                ShrinkEstimate.LeastBytes(manifest) <= diskSizeBytes
                    ? $"Use a larger disk, or make a smaller version for it: POST /api/v1/images/{{name}}/versions/{{number}}/shrink with \"diskBytes\": {diskSizeBytes}."
                    : "Use a larger disk, or delete files on the source and capture again.");
        var laidOut = choices is { Fill: true } ? FillLayout.Plan(manifest, diskSizeBytes, choices.GrowVolume) : new FilledLayout(manifest, [.. manifest.Volumes.Select(PlacedVolume.AsCaptured)], [], null);
        if (laidOut.Failure is not null)
            return new PlanOutcome(null, laidOut.Failure);
        // Without a change the record is that of a deploy that fills nothing: what either has begun the other can finish.
        var layout = laidOut.Places.Any(p => p.IsMoved || p.Grows > 0) ? LayoutMark.Of("fill", laidOut.Places.Select(p => p.Image with { Offset = p.Offset, Length = p.Length })) : 0;
        return new PlanOutcome(new WritePlan(manifest, laidOut.Manifest, laidOut.Places, Tables(laidOut.Manifest, diskSizeBytes))
        {
            ManifestHash = manifestHash,
            DiskSizeBytes = diskSizeBytes,
            Layout = layout,
            Resuming = found?.IsOf(manifestHash, diskSizeBytes, sectorSize, layout) == true,
            Notes = laidOut.Notes,
        }, null);
    }

    /// <summary>Smallest disk in bytes that takes the image as it is.</summary>
    internal static long NeededBytes(Manifest manifest)
    {
        var needed = manifest.Volumes.Select(v => v.Header.Partition.End).Append(2L * manifest.SectorSize).Max();
        if (manifest.Gpt is { } gpt)
            return Math.Max(needed, GptWriter.MinimumDiskBytes(gpt));
        // An extended partition may reach further than the last volume in it.
        return manifest.Scheme == PartitionScheme.Mbr
            ? manifest.Regions.Where(r => r.Kind == RawRegionKind.BootSector).Select(r => MbrReader.MinimumDiskBytes(r.Bytes.Span, manifest.SectorSize)).Append(needed).Max()
            : needed;
    }

    /// <summary>Everything outside the volumes, in the order to write; sectors 0 and 1 are taken out of it and written last of all.</summary>
    private static List<DiskWrite> Tables(Manifest manifest, long diskSizeBytes)
    {
        var writes = manifest.Regions.Where(r => r.Kind is RawRegionKind.Gap or RawRegionKind.Ebr).Select(r => new DiskWrite(r.Offset, r.Bytes.ToArray())).ToList();
        // A GPT is made anew even for a disk of the same size: the source's copies may have been damaged.
        if (manifest.Gpt is { } gpt)
            writes.AddRange(GptWriter.Rebuild(gpt, diskSizeBytes, manifest.SectorSize));
        else
            writes.AddRange(manifest.Regions.Where(r => r.Kind == RawRegionKind.BootSector).Select(r => new DiskWrite(r.Offset, r.Bytes.ToArray())));
        return writes;
    }

    private static PlanOutcome Refuse(string code, string sentence, string cure) => new(null, new Failure(code, Fault.Disk, sentence, cure));
}
