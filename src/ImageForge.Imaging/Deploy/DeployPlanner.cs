using System.Diagnostics.CodeAnalysis;
using ImageForge.Contracts;
using ImageForge.Imaging.Manifests;

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
    public static PlanOutcome Plan(Manifest manifest, string manifestHash, long diskSizeBytes, int sectorSize, ResumeRecord? found) => throw new NotImplementedException();
}

/// <summary>What a deploy will do. Made by <see cref="DeployPlanner"/> only.</summary>
public sealed class WritePlan
{
    internal WritePlan(Manifest manifest, string manifestHash) => (Manifest, ManifestHash) = (manifest, manifestHash);

    public Manifest Manifest { get; }
    public string ManifestHash { get; }

    /// <summary>The target carries the resume record of this very manifest: what is on it is compared before it is fetched.</summary>
    public bool Resuming { get; }

    /// <summary>Bytes of used content to put on the disk.</summary>
    public long BytesToWrite { get; }

    /// <summary>Plain bytes of data chunks, before compression.</summary>
    public long BytesToFetchAtMost { get; }

    /// <summary>The plan in the form shown to people before the first write.</summary>
    public DeployPlan Describe(DiskInventory disk) => throw new NotImplementedException();
}
