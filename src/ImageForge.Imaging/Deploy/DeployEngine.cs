using ImageForge.Contracts;
using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Deploy.Arrivals;
using ImageForge.Imaging.Disks;
using ImageForge.Imaging.Manifests;
using ImageForge.Imaging.Pipelines;
using ImageForge.Imaging.Resize;

namespace ImageForge.Imaging.Deploy;

/// <summary>Writes an image onto a disk so that a half-written disk can never boot (README.md). One instance per run.</summary>
public sealed class DeployEngine(IBlockDevice target, IChunkSource source, WritePlan plan, DeployOptions options, TimeProvider? time = null)
{
    /// <summary>Ids per question whether the source holds them.</summary>
    private const int InventoryBatch = 4096;

    private static readonly TimeSpan s_rescanPatience = TimeSpan.FromSeconds(5);

    public DeployProgress Progress { get; } = new();

    /// <summary>How the file system of a grown partition was grown; null where no partition was.</summary>
    public GrowthOutcome? Growth { get; private set; }

    /// <summary>Brings most chunks unasked; null: all are fetched from the source. In an image of several disks <see cref="DiskSetDeploy.Stream"/> feeds them all.</summary>
    public ChunkStream? Stream { get; init; }

    private readonly DeployState _state = new(plan);
    private TargetWriter? _writer;
    private bool _surveyed;
    private readonly TargetTables _tables = new(target, plan, options.HostTaskId);

    /// <summary>Returns once the whole image is durable on the disk and its tables are in place.</summary>
    /// <exception cref="FailureException"><c>chunkCorrupt</c>, <c>chunkMissing</c> (Image); <c>diskVanished</c>, <c>diskMediumError</c>, <c>readBackMismatch</c> and the other codes of <see cref="DiskException.ToFailure"/> (Disk); or what the source threw.</exception>
    public async Task RunAsync(CancellationToken cancel)
    {
        await CheckAsync(cancel);
        await InvalidateAsync(cancel);
        if (Stream is not null)
        {
            await SurveyAsync(cancel);
            await new ArrivalDeploy(Stream, [Arrivals]).RunAsync(cancel);
        }
        await TransferAsync(cancel);
        await VerifyAsync(cancel);
        await FinishAsync(cancel);
    }

    // The steps of one run, for a deploy of several disks, which goes step by step over all of them (DiskSetDeploy).

    /// <summary>Writes nothing.</summary>
    internal Task CheckAsync(CancellationToken cancel) => NamingDiskErrors(async () =>
    {
        if (target.SizeBytes != plan.DiskSizeBytes || target.SectorSize != plan.Manifest.SectorSize || target.IsReadOnly)
            throw new InvalidOperationException($"the plan is for a writable disk of {plan.DiskSizeBytes} bytes and {target.Name} has {target.SizeBytes}");
        Progress.Enter(DeployPhase.Preparing, 0);
        await CheckSourceAsync(cancel);
    });

    /// <summary>Afterwards nothing on the disk boots.</summary>
    internal Task InvalidateAsync(CancellationToken cancel) => NamingDiskErrors(() => OnThread(_tables.Invalidate, cancel));

    /// <summary>Finds out what the disk lacks before a stream is asked for it; writes nothing.</summary>
    internal Task SurveyAsync(CancellationToken cancel) => NamingDiskErrors(async () =>
    {
        Progress.Enter(DeployPhase.Transferring, plan.BytesToWrite);
        await new TargetSurvey(target, plan, options, _state, Progress).RunAsync(cancel);
        _surveyed = true;
    });

    /// <summary>Where a stream writes to.</summary>
    internal ArrivalTarget Arrivals => new(plan, options, _state, Writer, Progress, source as IRemoteTimes);

    /// <summary>Everything that is not done yet.</summary>
    internal Task TransferAsync(CancellationToken cancel) => NamingDiskErrors(async () =>
    {
        if (!_surveyed)
            Progress.Enter(DeployPhase.Transferring, plan.BytesToWrite);
        using (var pipeline = new DeployPipeline(target, source, plan, options, _state, Writer, Progress, _surveyed))
            await pipeline.RunAsync(cancel);
        await OnThread(target.Flush, cancel);
    });

    internal Task VerifyAsync(CancellationToken cancel) => NamingDiskErrors(async () =>
    {
        if (!options.ReadBack)
            return;
        Progress.Enter(DeployPhase.Verifying, _state.WrittenUsedBytes(plan.Manifest));
        await new ReadBack(target, plan, options, _state, Progress).RunAsync(cancel);
    });

    internal Task FinishAsync(CancellationToken cancel) => NamingDiskErrors(async () =>
    {
        // From here on there is nothing to gain from stopping half-way.
        cancel.ThrowIfCancellationRequested();
        Progress.Enter(DeployPhase.Finishing, 0);
        await OnThread(() => _tables.Finish(_state, options.ReadBack, Grow), CancellationToken.None);
        if (target is LinuxBlockDevice linux)
            await linux.RescanPartitionsAsync(s_rescanPatience, time ?? TimeProvider.System, CancellationToken.None);
    });

    private TargetWriter Writer => _writer ??= new TargetWriter(target, plan, options, _state, Progress);

    private async Task NamingDiskErrors(Func<Task> step)
    {
        try
        {
            await step();
        }
        catch (DiskException e)
        {
            throw DeployFailures.Disk(e, plan.VolumeAt(e.Offset));
        }
    }

    private void Grow()
    {
        for (var v = 0; v < plan.Places.Count; v++)
            if (plan.Places[v] is { Grows: > 0 } place)
                Growth = options.Grower is { } grower
                    ? grower.Grow(target, place.Offset, place.Length, plan.Manifest.Volumes[v].Header.FileSystem, CancellationToken.None)
                    : new GrowthOutcome(false, "The partition was grown and its file system left as it was: nothing here can grow it.");
    }

    /// <summary>A source that can tell is asked for every chunk before the first write.</summary>
    private async Task CheckSourceAsync(CancellationToken cancel)
    {
        if (source is not IChunkInventory inventory)
            return;
        var chunks = from volume in plan.Manifest.Volumes from chunk in volume.Chunks() where chunk.Kind == ChunkKind.Data select (volume, chunk);
        foreach (var batch in chunks.Chunk(InventoryBatch))
        {
            var held = await inventory.HeldAsync(Array.ConvertAll(batch, b => b.chunk.Id), cancel);
            if (Array.IndexOf(held, false) is var missing and >= 0)
                throw DeployFailures.Missing(batch[missing].volume.Header, batch[missing].chunk, null);
        }
    }

    private static Task OnThread(Action action, CancellationToken cancel) =>
        Task.Factory.StartNew(action, cancel, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}
