using ImageForge.Imaging.Deploy.Arrivals;
using ImageForge.Imaging.Pipelines;
using ImageForge.Imaging.Resize;

namespace ImageForge.Imaging.Deploy;

/// <summary>
/// Writes an image of several disks: each step for all of them before the next one. So no disk of the set boots before the content of
/// all is there and proven, and a power cut at any point leaves the resume record on every disk that is not complete. One instance per run.
/// </summary>
/// <param name="disks">In the order of the image, each with its own plan for its own disk.</param>
public sealed class DiskSetDeploy(IReadOnlyList<(DeployEngine Engine, WritePlan Plan)> disks)
{
    private int _phase;

    /// <summary>Brings most chunks of all disks unasked; null: each engine fetches its own.</summary>
    public ChunkStream? Stream { get; init; }

    public DeployPhase Phase => (DeployPhase)Volatile.Read(ref _phase);

    /// <summary>Used bytes done in this phase, over all disks.</summary>
    public long BytesDone => disks.Sum(d => d.Engine.Progress.Phase == Phase ? d.Engine.Progress.BytesDone : 0);

    /// <summary>Used bytes of this phase, over all disks.</summary>
    public long BytesTotal => Phase switch
    {
        DeployPhase.Transferring => disks.Sum(d => d.Plan.BytesToWrite),
        DeployPhase.Verifying => BytesWritten,
        _ => 0,
    };

    public long BytesWritten => disks.Sum(d => d.Engine.Progress.BytesWritten);
    public long BytesArrived => disks.Sum(d => d.Engine.Progress.BytesArrived);
    public long BytesFetched => disks.Sum(d => d.Engine.Progress.BytesFetched);
    /// <summary>What the disk at work waits for most.</summary>
    public Bottleneck Bottleneck => disks.Select(d => d.Engine.Progress.Bottleneck).FirstOrDefault(b => b != Bottleneck.Unknown);

    public long BytesKept => disks.Sum(d => d.Engine.Progress.BytesKept);
    public long BytesCompared => disks.Sum(d => d.Engine.Progress.BytesCompared);

    /// <summary>How file systems were grown, with the place of their disk in the image.</summary>
    public IEnumerable<(int Disk, GrowthOutcome Outcome)> Growth => disks.Select((d, i) => (i, d.Engine.Growth)).Where(g => g.Growth is not null).Select(g => (g.i, g.Growth!));

    /// <summary>
    /// What to compare, the same for all disks: when one of them carries the record of an unfinished run, another without it is either
    /// complete, cut between the last writes of two disks, or was exchanged. Comparing is right for both.
    /// </summary>
    public static CompareWith Compare(IEnumerable<WritePlan> plans) => plans.Any(p => p.Resuming) ? CompareWith.AnyDisk : CompareWith.Auto;

    /// <summary>Returns once every disk is durable and has its tables.</summary>
    /// <exception cref="Contracts.FailureException">As <see cref="DeployEngine.RunAsync"/>.</exception>
    public async Task RunAsync(CancellationToken cancel)
    {
        foreach (var (engine, _) in disks)
            await engine.CheckAsync(cancel);
        foreach (var (engine, _) in disks)
            await engine.InvalidateAsync(cancel);
        Enter(DeployPhase.Transferring);
        if (Stream is not null)
        {
            foreach (var (engine, _) in disks)
                await engine.SurveyAsync(cancel);
            // One stream for all: a chunk that several disks want is written to each as it comes.
            await new ArrivalDeploy(Stream, [.. disks.Select(d => d.Engine.Arrivals)]).RunAsync(cancel);
        }
        foreach (var (engine, _) in disks)
            await engine.TransferAsync(cancel);
        Enter(DeployPhase.Verifying);
        foreach (var (engine, _) in disks)
            await engine.VerifyAsync(cancel);
        Enter(DeployPhase.Finishing);
        cancel.ThrowIfCancellationRequested();
        // The first disk is the one a machine boots from: it becomes complete last.
        foreach (var (engine, _) in disks.Reverse())
            await engine.FinishAsync(CancellationToken.None);
    }

    private void Enter(DeployPhase phase) => Volatile.Write(ref _phase, (int)phase);
}
