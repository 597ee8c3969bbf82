using ImageForge.Agent.Screen;
using ImageForge.Contracts;

namespace ImageForge.Agent.Tasks;

/// <summary>The plan on the machine's own screen: what is lost first, then what will be there.</summary>
internal static class PlanFacts
{
    /// <summary>A screen has 25 lines; the dashboard shows the rest.</summary>
    private const int MostVolumes = 8;

    public static void Show(Display display, DeployPlan plan)
    {
        display.Fact(plan.Erases);
        var lost = (plan.Found ?? []).Where(f => f.Erased).ToList();
        foreach (var found in lost.Take(MostVolumes))
            display.Fact($"  lost   {found.Number} {found.FileSystem} {found.Label ?? found.Name} {Units.DiskSize(found.SizeBytes)}{(found.UsedBytes is { } used ? $", {Units.MiB(used)} MiB used" : "")}");
        foreach (var volume in plan.Volumes.Take(MostVolumes))
            display.Fact($"  {Units.Name(volume.Change),-8} {volume.Number} {volume.FileSystem} {volume.Name} {Units.DiskSize(volume.SizeBytes)}"
                + (volume.ImageSizeBytes is { } before ? $" (from {Units.DiskSize(before)})" : "")
                + (volume.Change == VolumeChange.Kept ? "" : $", {Units.MiB(volume.UsedBytes)} MiB used"));
        display.Fact($"  at most {Units.MiB(plan.BytesToCompare + plan.BytesToReadBack)} MiB read, {Units.MiB(plan.BytesToFetchAtMost)} MiB fetched (plain), {Units.MiB(plan.BytesToWrite)} MiB written");
        foreach (var note in plan.Notes ?? [])
            display.Fact($"  note: {note}");
    }
}
