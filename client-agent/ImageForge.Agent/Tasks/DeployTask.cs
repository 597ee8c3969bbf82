using System.Globalization;
using ImageForge.Agent.Screen;
using ImageForge.Agent.Server;
using ImageForge.Agent.Streams;
using ImageForge.Contracts;
using ImageForge.Imaging.Deploy;
using ImageForge.Imaging.Deploy.Arrivals;
using ImageForge.Imaging.Manifests;
using ImageForge.Imaging.Pipelines;
using ImageForge.Imaging.Resize;

namespace ImageForge.Agent.Tasks;

/// <summary>
/// Writes an image onto one disk. Until the server has seen the plan and said go, the disk is only open for reading.
/// </summary>
internal static class DeployTask
{
    public static async Task<TaskOutcome> RunAsync(long taskId, DeployAssignment job, TaskContext context, CancellationToken cancel)
    {
        context.Progress.Begin(HostTaskState.Preparing, "reading the image's manifest");
        var file = await context.Server.ManifestAsync(job.ManifestHash, cancel);
        if (!ImageDisks.TryParse(file, out var image, out var unreadable))
            return TaskOutcome.Of(unreadable);
        if (image.Disks.Count > 1)
            return await DeploySetTask.RunAsync(taskId, job, image, context, cancel);
        var manifest = image.Disks[0].Manifest;
        var choice = TargetDisk.Choose(context.Disks.List(), job.Disk, job.Choices);
        if (!choice.IsChosen)
            return TaskOutcome.Of(choice.Refusal);
        var disk = choice.Disk;
        context.Display.Fact("Disk     " + Units.Disk(disk));

        if (job.Choices?.Identity == DiskIdentity.Randomise)
            manifest = NewIdentity.Of(manifest);
        context.Progress.Begin(HostTaskState.Preparing, "looking at what is on the disk");
        PlanOutcome outcome;
        TargetContents contents;
        using (var look = context.Disks.OpenForReading(disk))
        {
            contents = TargetContents.Read(look, cancel);
            outcome = DeployPlanner.Plan(manifest, job.ManifestHash, look.SizeBytes, look.SectorSize, job.Choices, contents);
        }
        if (!outcome.IsPlanned)
            return TaskOutcome.Of(outcome.Failure with
            {
                Cure = outcome.Failure.Cure.Replace("{name}", Uri.EscapeDataString(job.ImageName), StringComparison.Ordinal)
                    .Replace("{number}", job.VersionNumber.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal),
            });

        var shown = outcome.Plan.Describe(disk, contents, job.ReadBack);
        if (await PlanApproval.AskAsync(shown, context, cancel) is { } refused)
            return TaskOutcome.Of(refused);

        if (job.DryRun)
            return new TaskOutcome(HostTaskState.Succeeded, null, $"Dry run, nothing was written. {shown.Erases}");

        using var target = context.Disks.OpenForWriting(disk);
        // The name was chosen up to an hour ago. From here on the open handle keeps it with this very disk.
        if (TargetStillAgreed.Refusal(disk, shown.DiskSizeBytes, TargetDisk.Choose(context.Disks.List(), job.Disk, job.Choices), target.SizeBytes) is { } changed)
            return TaskOutcome.Of(changed);
        // The resume record and the table count as they are on the disk that is written, not as they were on the one that was looked at.
        outcome = DeployPlanner.Plan(manifest, job.ManifestHash, target.SizeBytes, target.SectorSize, job.Choices, TargetContents.Read(target, cancel));
        if (!outcome.IsPlanned)
            return TaskOutcome.Of(outcome.Failure);
        var stream = job.Multicast is { } offer ? new StreamArrivals(offer, context) : null;
        var engine = new DeployEngine(target, new HttpChunkSource(context.Connection, context.Traffic), outcome.Plan,
            new DeployOptions(job.ReadBack, taskId, Grower: new VolumeGrower()))
        {
            Stream = stream is null ? null : new ChunkStream(new ChunkNumbers(image), stream),
        };
        var counters = engine.Progress;
        context.Progress.Follow(() => new PhaseReading(State(counters.Phase), counters.BytesDone, counters.BytesTotal,
            Detail(counters.Phase, counters.BytesKept, counters.Bottleneck, stream)));
        await engine.RunAsync(cancel);

        return new TaskOutcome(HostTaskState.Succeeded, null,
            $"Deployed {job.ImageName} version {job.VersionNumber} to {disk.Name}: {Units.MiB(counters.BytesWritten)} MiB written "
                + $"({Fetched(counters.BytesFetched, counters.BytesArrived, stream)}), {Units.MiB(counters.BytesKept)} MiB were already right."
                + (engine.Growth is { } growth ? $" {(growth.Grown ? "The disk is filled." : "Warning:")} {growth.Note}".TrimEnd() : ""),
            BytesRead: counters.BytesCompared + counters.BytesSampled, BytesWritten: counters.BytesWritten)
        {
            Proof = Proofs.Of(outcome.Plan.Manifest, job.ManifestHash, counters.BytesKept + (job.ReadBack ? counters.BytesWritten : 0)),
            Written = [disk],
            Notes = stream?.Notes ?? [],
        };
    }

    /// <summary>How much came on which way.</summary>
    internal static string Fetched(long fetched, long arrived, StreamArrivals? stream) => stream is null
        ? $"{Units.MiB(fetched)} MiB fetched compressed"
        : $"{Units.MiB(arrived)} MiB came by multicast and {Units.MiB(fetched)} MiB over HTTP, compressed";

    internal static string? Detail(DeployPhase phase, long bytesKept, Bottleneck bottleneck, StreamArrivals? stream)
    {
        var way = phase == DeployPhase.Transferring ? stream?.Status.Text : null;
        var kept = bytesKept > 0 ? $"{Units.MiB(bytesKept)} MiB were already there" : null;
        var limit = phase is DeployPhase.Transferring or DeployPhase.Verifying ? BottleneckText.Of(bottleneck) : null;
        // The way first and its cause last: a screen cuts what is too long for a line.
        var parts = string.Join("; ", ((string?[])[way, way is null ? kept : null, limit, way is null ? null : kept, way is null ? null : stream?.Status.Cause]).OfType<string>());
        return parts.Length == 0 ? null : parts;
    }

    internal static HostTaskState State(DeployPhase phase) => phase switch
    {
        DeployPhase.Preparing => HostTaskState.Preparing,
        DeployPhase.Transferring => HostTaskState.Transferring,
        DeployPhase.Verifying => HostTaskState.Verifying,
        _ => HostTaskState.Finishing,
    };
}
