using ImageForge.Agent.Screen;
using ImageForge.Agent.Server;
using ImageForge.Contracts;
using ImageForge.Imaging.Capture;
using ImageForge.Imaging.Deploy;
using ImageForge.Imaging.Manifests;

namespace ImageForge.Agent.Tasks;

/// <summary>Sends what the server lacks of one disk, then hands in the manifest. The disk is only ever opened for reading.</summary>
internal static class CaptureTask
{
    private const int MostAttempts = 3;

    public static async Task<TaskOutcome> RunAsync(CaptureAssignment job, TaskContext context, CancellationToken cancel)
    {
        context.Progress.Begin(HostTaskState.Preparing, "reading the partition table and the file systems");
        if (job.Choices?.Disks is { Count: > 1 } names)
            return await CaptureSetTask.RunAsync(job, names, context, cancel);
        var choice = TargetDisk.ChooseSource(context.Disks.List(), job.Choices?.Disks is [var only] ? only : job.Disk);
        if (!choice.IsChosen)
            return TaskOutcome.Of(choice.Refusal);
        var disk = choice.Disk;
        context.Display.Fact("Reads    " + Units.Disk(disk));

        using var source = context.Disks.OpenForReading(disk);
        for (var attempt = 1; ; attempt++)
        {
            var engine = new CaptureEngine(source, new HttpChunkSink(context.Connection, context.Traffic),
                Options(job, disk));
            context.Progress.Follow(() => Reading(engine.Progress));
            var result = await engine.RunAsync(cancel);
            context.Progress.Begin(HostTaskState.Finishing, "the server seals the image");
            try
            {
                return Succeeded(disk, engine.Progress, result.Manifest, await context.Server.SealAsync(result.ManifestBytes, cancel)) with
                {
                    Proof = Proofs.Of(result.Manifest, result.ManifestHash, result.Manifest.UsedBytes),
                };
            }
            catch (FailureException e) when (MayRepeat(attempt, e))
            {
                context.Display.Say($"sending again what the server lost: {e.Failure.Sentence}");
            }
        }
    }

    public static CaptureOptions Options(CaptureAssignment job, DiskInventory disk) =>
        new(job.ChunkSize, job.Level > 0 ? job.Level : null, disk.Model, Dirty: job.Choices?.Dirty ?? DirtyVolumes.Whole, AllowReadErrors: job.Choices?.AllowReadErrors ?? false);

    /// <summary>The server lost some of what it had taken, by a power cut or a disk error. It is asked again chunk by chunk and sent those.</summary>
    public static bool MayRepeat(int attempt, FailureException e) => attempt < MostAttempts && e.Failure.Code is ("chunksMissing" or ServerConnection.StoreNotDurable);

    private static PhaseReading Reading(CaptureProgress counters) => counters.BytesTotal == 0
        ? new PhaseReading(HostTaskState.Preparing, 0, 0, "reading the partition table and the file systems")
        : new PhaseReading(HostTaskState.Transferring, counters.BytesDone, counters.BytesTotal, BottleneckText.Of(counters.Bottleneck));

    private static TaskOutcome Succeeded(DiskInventory disk, CaptureProgress counters, Manifest manifest, SealReply version) => new(
        HostTaskState.Succeeded, null,
        $"Captured {Units.MiB(counters.BytesTotal)} MiB of used content of {disk.Name} as {version.ImageName} version {version.VersionNumber}: "
            + $"{counters.ChunksSent} chunks sent ({Units.MiB(counters.BytesSent)} MiB compressed), {counters.ChunksHeld} were already there."
            + string.Concat(manifest.DamageNotes().Select(note => " " + note)),
        BytesRead: counters.BytesRead);
}
