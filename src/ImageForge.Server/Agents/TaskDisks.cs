using ImageForge.Contracts;
using ImageForge.Imaging.Deploy;
using ImageForge.Server.Hosts;
using ImageForge.Server.Images;
using ImageForge.Server.ImageStore;
using ImageForge.Server.Jobs;

namespace ImageForge.Server.Agents;

/// <summary>Which disks of a machine a task means, by the rules that the agent follows as well: one, or as many as the image has.</summary>
internal sealed class TaskDisks(ImageVersions versions, ManifestFiles manifests)
{
    /// <returns>Null for a task that needs no disk. Of an image with several disks and no rules the order means nothing.</returns>
    public async Task<DiskChoices?> ChooseAsync(JobKind kind, Job job, IReadOnlyList<DiskInventory> disks, CancellationToken cancellationToken)
    {
        var order = job.Parameters;
        if (kind == JobKind.Capture)
            return order.Capture?.Disks is { Count: > 0 } names ? TargetDisks.ChooseSources(disks, names) : One(TargetDisk.ChooseSource(disks, order.Disk));
        if (kind != JobKind.Deploy)
            return null;
        var version = job.ImageVersionId is { } id ? await versions.FindAsync(id, cancellationToken) : null;
        var count = version is null ? 1 : manifests.DiskCount(version.ManifestHash);
        return count == 1 ? One(TargetDisk.Choose(disks, order.Disk, order.Deploy)) : TargetDisks.Choose(disks, count, order.Disk, order.Deploy);
    }

    /// <summary>One text by which the disks are known again after a reboot, whatever the kernel calls them.</summary>
    public static string Identity(IReadOnlyList<DiskInventory> disks) => string.Join(" and ", disks.Select(DiskIdentity.Of).Order(StringComparer.Ordinal));

    /// <summary>Whether a plan is for these disks: each of them once, and in this order where rules say so.</summary>
    public static bool Match(IReadOnlyList<DiskInventory> chosen, DeployPlan plan, bool inOrder)
    {
        // The plan comes from outside: what should not be null may be.
        List<DeployPlan> plans = [plan, .. (plan.MoreDisks ?? []).Where(static p => p is not null)];
        if (plans.Count != chosen.Count)
            return false;
        var left = chosen.ToList();
        foreach (var (part, i) in plans.Select((p, i) => (p, i)))
        {
            var found = left.FindIndex(d => d.Name == DeviceText.Limit(part.DiskName) && d.SizeBytes == part.DiskSizeBytes && d.Serial == DeviceText.Limit(part.DiskSerial));
            if (found < 0 || inOrder && left[found] != chosen[i])
                return false;
            left.RemoveAt(found);
        }
        return true;
    }

    private static DiskChoices One(DiskChoice choice) => new(choice.Disk is { } disk ? [disk] : null, choice.Refusal);
}
