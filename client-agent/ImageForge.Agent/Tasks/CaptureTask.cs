using ImageForge.Agent.Screen;
using ImageForge.Agent.Server;
using ImageForge.Contracts;
using ImageForge.Imaging.Capture;
using ImageForge.Imaging.Deploy;

namespace ImageForge.Agent.Tasks;

/// <summary>Sends what the server lacks of one disk, then hands in the manifest. The disk is only ever opened for reading.</summary>
internal static class CaptureTask
{
    public static async Task<TaskOutcome> RunAsync(CaptureAssignment job, TaskContext context, CancellationToken cancel)
    {
        context.Progress.Begin(HostTaskState.Preparing, "reading the partition table and the file systems");
        var choice = TargetDisk.ChooseSource(context.Disks.List(), job.Disk);
        if (!choice.IsChosen)
            return TaskOutcome.Of(choice.Refusal);
        var disk = choice.Disk;
        context.Display.Fact("Reads    " + Units.Disk(disk));

        using var source = context.Disks.OpenForReading(disk);
        var engine = new CaptureEngine(source, new HttpChunkSink(context.Connection, context.Traffic),
            new CaptureOptions(job.ChunkSize, job.Level, disk.Model));
        var counters = engine.Progress;
        context.Progress.Follow(() => counters.BytesTotal == 0
            ? new PhaseReading(HostTaskState.Preparing, 0, 0, "reading the partition table and the file systems")
            : new PhaseReading(HostTaskState.Transferring, counters.BytesDone, counters.BytesTotal));
        var result = await engine.RunAsync(cancel);

        context.Progress.Begin(HostTaskState.Finishing, "the server seals the image");
        var sealedAs = await context.Server.SealAsync(result.ManifestBytes, cancel);
        return new TaskOutcome(HostTaskState.Succeeded, null,
            $"Captured {Units.MiB(counters.BytesTotal)} MiB of used content of {disk.Name} as {sealedAs.ImageName} version {sealedAs.VersionNumber}: "
                + $"{counters.ChunksSent} chunks sent ({Units.MiB(counters.BytesSent)} MiB compressed), {counters.ChunksHeld} were already there.",
            BytesRead: counters.BytesRead);
    }
}
