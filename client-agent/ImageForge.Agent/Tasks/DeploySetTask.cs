using ImageForge.Agent.Screen;
using ImageForge.Agent.Server;
using ImageForge.Agent.Streams;
using ImageForge.Contracts;
using ImageForge.Imaging.Deploy;
using ImageForge.Imaging.Deploy.Arrivals;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Manifests;
using ImageForge.Imaging.Resize;

namespace ImageForge.Agent.Tasks;

/// <summary>
/// Writes an image of several disks. All of them are planned before the server is asked and before the first write; each carries its own
/// resume record.
/// </summary>
internal static class DeploySetTask
{
    public static async Task<TaskOutcome> RunAsync(long taskId, DeployAssignment job, ImageDisks image, TaskContext context, CancellationToken cancel)
    {
        var choice = TargetDisks.Assign(context.Disks.List(), image, job.Disk, job.Choices);
        if (!choice.AreChosen)
            return TaskOutcome.Of(choice.Refusal);
        var chosen = choice.Disks;
        foreach (var disk in chosen)
            context.Display.Fact("Disk     " + Units.Disk(disk));
        var manifests = image.Disks.Select(d => job.Choices?.Identity == DiskIdentity.Randomise ? NewIdentity.Of(d.Manifest) : d.Manifest).ToList();

        context.Progress.Begin(HostTaskState.Preparing, "looking at what is on the disks");
        var shown = new List<DeployPlan>();
        for (var i = 0; i < chosen.Count; i++)
        {
            using var look = context.Disks.OpenForReading(chosen[i]);
            var contents = TargetContents.Read(look, cancel);
            var outcome = Plan(i, look, contents);
            if (!outcome.IsPlanned)
                return TaskOutcome.Of(OfDisk(chosen[i], outcome.Failure));
            shown.Add(outcome.Plan.Describe(chosen[i], contents, job.ReadBack));
        }
        if (await PlanApproval.AskAsync(shown[0] with { MoreDisks = [.. shown.Skip(1)] }, context, cancel) is { } refused)
            return TaskOutcome.Of(refused);
        if (job.DryRun)
            return new TaskOutcome(HostTaskState.Succeeded, null, $"Dry run, nothing was written. {string.Join(' ', shown.Select(s => s.Erases))}");

        var targets = new List<IBlockDevice>();
        try
        {
            foreach (var disk in chosen)
                targets.Add(context.Disks.OpenForWriting(disk));
            // From here on the open handles keep the names with these very disks.
            var now = TargetDisks.Assign(context.Disks.List(), image, job.Disk, job.Choices);
            for (var i = 0; i < chosen.Count; i++)
                if (TargetStillAgreed.Refusal(chosen[i], shown[i].DiskSizeBytes, new DiskChoice(now.Disks?[i], now.Refusal), targets[i].SizeBytes) is { } changed)
                    return TaskOutcome.Of(changed);
            var plans = new List<WritePlan>();
            for (var i = 0; i < chosen.Count; i++)
            {
                var outcome = Plan(i, targets[i], TargetContents.Read(targets[i], cancel));
                if (!outcome.IsPlanned)
                    return TaskOutcome.Of(OfDisk(chosen[i], outcome.Failure));
                plans.Add(outcome.Plan);
            }
            return await WriteAsync(taskId, job, image, chosen, targets, plans, context, cancel);
        }
        finally
        {
            targets.ForEach(t => t.Dispose());
        }

        PlanOutcome Plan(int i, IBlockDevice disk, TargetContents contents) =>
            // A partition's number says nothing about another disk: there the last one that can grow fills it.
            DeployPlanner.Plan(manifests[i], image.Disks[i].ManifestHash, disk.SizeBytes, disk.SectorSize, i == 0 ? job.Choices : job.Choices is { } c ? c with { GrowVolume = null } : null, contents);
    }

    private static async Task<TaskOutcome> WriteAsync(
        long taskId, DeployAssignment job, ImageDisks image, IReadOnlyList<DiskInventory> chosen, List<IBlockDevice> targets, List<WritePlan> plans, TaskContext context, CancellationToken cancel)
    {
        var options = new DeployOptions(job.ReadBack, taskId, Compare: DiskSetDeploy.Compare(plans), Grower: new VolumeGrower());
        var source = new HttpChunkSource(context.Connection, context.Traffic);
        var stream = job.Multicast is { } offer ? new StreamArrivals(offer, context) : null;
        var deploy = new DiskSetDeploy([.. plans.Select((plan, i) => (new DeployEngine(targets[i], source, plan, options), plan))])
        {
            Stream = stream is null ? null : new ChunkStream(new ChunkNumbers(image), stream),
        };
        context.Progress.Follow(() => new PhaseReading(DeployTask.State(deploy.Phase), deploy.BytesDone, deploy.BytesTotal,
            DeployTask.Detail(deploy.Phase, deploy.BytesKept, deploy.Bottleneck, stream)));
        await deploy.RunAsync(cancel);
        return new TaskOutcome(HostTaskState.Succeeded, null,
            $"Deployed {job.ImageName} version {job.VersionNumber} to {string.Join(" and ", chosen.Select(d => d.Name))}: {Units.MiB(deploy.BytesWritten)} MiB written "
                + $"({DeployTask.Fetched(deploy.BytesFetched, deploy.BytesArrived, stream)}), {Units.MiB(deploy.BytesKept)} MiB were already right."
                + string.Concat(deploy.Growth.Select(g => $" {chosen[g.Disk].Name}: {g.Outcome.Note}".TrimEnd())),
            BytesRead: deploy.BytesCompared, BytesWritten: deploy.BytesWritten)
        {
            Proof = Proofs.Of([.. plans.Select(p => p.Manifest)], job.ManifestHash, deploy.BytesKept + (job.ReadBack ? deploy.BytesWritten : 0)),
            Written = chosen,
            Notes = stream?.Notes ?? [],
        };
    }

    private static Failure OfDisk(DiskInventory disk, Failure failure) => failure with { Sentence = $"{disk.Name}: {failure.Sentence}" };
}
