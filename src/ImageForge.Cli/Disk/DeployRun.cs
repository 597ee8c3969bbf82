using ImageForge.Cli.Output;
using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Deploy;
using ImageForge.Imaging.LocalStore;

namespace ImageForge.Cli.Disk;

/// <summary>Writes the disks of one image: one as it is, several step by step together, so that none boots before all are complete.</summary>
internal static class DeployRun
{
    public static async Task<IReadOnlyList<DeployReport>> RunAsync(IReadOnlyList<DeployTarget> targets, LocalImageVersion version, IChunkSource source, DeployOptions options, CancellationToken cancel)
    {
        var started = TimeProvider.System.GetTimestamp();
        if (targets.Any(target => target.IsResuming) && targets.Count > 1)
            options = options with { Compare = CompareWith.AnyDisk };
        var disks = targets.Select(target => target.Prepare(source, options)).ToList();
        if (disks.Count == 1)
        {
            var engine = disks[0].Engine;
            var work = engine.RunAsync(cancel);
            await ProgressLine.WatchAsync(work, () => new Done(Name(engine.Progress.Phase), engine.Progress.BytesDone, engine.Progress.BytesTotal));
        }
        else
        {
            var set = new DiskSetDeploy(disks);
            var work = set.RunAsync(cancel);
            await ProgressLine.WatchAsync(work, () => new Done(Name(set.Phase), set.BytesDone, set.BytesTotal));
        }
        var seconds = TimeProvider.System.GetElapsedTime(started).TotalSeconds;
        return [.. targets.Zip(disks, (target, disk) => Report(target, disk.Engine, disk.Plan, version, options, seconds))];
    }

    private static DeployReport Report(DeployTarget target, DeployEngine engine, WritePlan plan, LocalImageVersion version, DeployOptions options, double seconds) => new(
        version.Image, version.Number, plan.ManifestHash, target.Path, engine.Progress.BytesWritten, engine.Progress.BytesKept, engine.Progress.BytesFetched, options.ReadBack, seconds,
        engine.Growth?.Grown, engine.Growth?.Note);

    private static string Name(DeployPhase phase) => phase switch
    {
        DeployPhase.Preparing => "preparing",
        DeployPhase.Transferring => "writing",
        DeployPhase.Verifying => "reading back",
        _ => "finishing",
    };
}
