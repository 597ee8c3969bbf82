using ImageForge.Contracts;
using ImageForge.Server.Hosts;

namespace ImageForge.Server.Agents;

/// <summary>A plan as an agent tells it holds device text and lists: both are limited before anything keeps or shows them.</summary>
internal static class PlanLimits
{
    private const int MaxVolumes = 256, MaxNotes = 64;

    public static DeployPlan Apply(DeployPlan plan) => plan with
    {
        DiskName = DeviceText.Limit(plan.DiskName) ?? "",
        DiskModel = DeviceText.Limit(plan.DiskModel),
        DiskSerial = DeviceText.Limit(plan.DiskSerial),
        Erases = AgentText.Limit(plan.Erases),
        Volumes = [.. (plan.Volumes ?? []).Where(static v => v is not null).Take(MaxVolumes)
            .Select(static v => v with { Name = DeviceText.Limit(v.Name) ?? "", FileSystem = DeviceText.Limit(v.FileSystem) ?? "" })],
        Found = plan.Found is null ? null : [.. plan.Found.Where(static f => f is not null).Take(MaxVolumes)
            .Select(static f => f with { Name = DeviceText.Limit(f.Name), FileSystem = DeviceText.Limit(f.FileSystem) ?? "", Label = DeviceText.Limit(f.Label) })],
        MoreDisks = plan.MoreDisks is null ? null : [.. plan.MoreDisks.Where(static p => p is not null).Take(InventoryLimits.MaxDisks).Select(static p => Apply(p with { MoreDisks = null }))],
        Notes = plan.Notes is null ? null : [.. plan.Notes.Take(MaxNotes).Select(static n => AgentText.Limit(n))],
    };
}
