using ImageForge.Agent.Screen;
using ImageForge.Agent.Server;
using ImageForge.Contracts;
using ImageForge.Imaging.Capture;
using ImageForge.Imaging.Deploy;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Manifests;

namespace ImageForge.Agent.Tasks;

/// <summary>Sends what the server lacks of several disks, one after another, then hands in one disk set for all of them.</summary>
internal static class CaptureSetTask
{
    public static async Task<TaskOutcome> RunAsync(CaptureAssignment job, IReadOnlyList<string> names, TaskContext context, CancellationToken cancel)
    {
        var choice = TargetDisks.ChooseSources(context.Disks.List(), names);
        if (!choice.AreChosen)
            return TaskOutcome.Of(choice.Refusal);
        foreach (var disk in choice.Disks)
            context.Display.Fact("Reads    " + Units.Disk(disk));
        var sources = new List<IBlockDevice>();
        try
        {
            // All are opened first: one that cannot be is told before hours of reading the others.
            foreach (var disk in choice.Disks)
                sources.Add(context.Disks.OpenForReading(disk));
            for (var attempt = 1; ; attempt++)
            {
                var done = new List<CaptureProgress>();
                var results = new List<CaptureResult>();
                for (var i = 0; i < sources.Count; i++)
                    results.Add(await CaptureAsync(job, choice.Disks, i, sources[i], done, context, cancel));
                context.Progress.Begin(HostTaskState.Finishing, "the server seals the image");
                var file = DiskSetWriter.Write([.. results.Select((r, i) => (choice.Disks[i].Serial, r.ManifestBytes))]);
                try
                {
                    return Succeeded(choice.Disks, done, results, await context.Server.SealAsync(file, cancel)) with
                    {
                        Proof = Proofs.Of([.. results.Select(r => r.Manifest)], ManifestHash.Of(file), results.Sum(r => r.Manifest.UsedBytes)),
                    };
                }
                catch (FailureException e) when (CaptureTask.MayRepeat(attempt, e))
                {
                    context.Display.Say($"sending again what the server lost: {e.Failure.Sentence}");
                }
            }
        }
        finally
        {
            sources.ForEach(s => s.Dispose());
        }
    }

    private static async Task<CaptureResult> CaptureAsync(
        CaptureAssignment job, IReadOnlyList<DiskInventory> disks, int i, IBlockDevice source, List<CaptureProgress> done, TaskContext context, CancellationToken cancel)
    {
        var engine = new CaptureEngine(source, new HttpChunkSink(context.Connection, context.Traffic), CaptureTask.Options(job, disks[i]));
        var (before, current) = (done.Sum(d => d.BytesTotal), engine.Progress);
        // What the later disks hold is not known before their maps are read: the total grows with each disk.
        context.Progress.Follow(() => new PhaseReading(
            current.BytesTotal == 0 && i == 0 ? HostTaskState.Preparing : HostTaskState.Transferring, before + current.BytesDone, before + current.BytesTotal,
            $"disk {i + 1} of {disks.Count} ({disks[i].Name})"));
        var result = await engine.RunAsync(cancel);
        done.Add(current);
        return result;
    }

    private static TaskOutcome Succeeded(IReadOnlyList<DiskInventory> disks, List<CaptureProgress> counters, List<CaptureResult> results, SealReply version) => new(
        HostTaskState.Succeeded, null,
        $"Captured {Units.MiB(counters.Sum(c => c.BytesTotal))} MiB of used content of {string.Join(" and ", disks.Select(d => d.Name))} as {version.ImageName} version {version.VersionNumber}: "
            + $"{counters.Sum(c => c.ChunksSent)} chunks sent ({Units.MiB(counters.Sum(c => c.BytesSent))} MiB compressed), {counters.Sum(c => c.ChunksHeld)} were already there."
            + string.Concat(results.SelectMany((r, i) => r.Manifest.DamageNotes().Select(note => $" {disks[i].Name}: {note}"))),
        BytesRead: counters.Sum(c => c.BytesRead));
}
