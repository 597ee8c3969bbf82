using System.Globalization;
using ImageForge.Server.Events;

namespace ImageForge.Server.StoreCare;

/// <summary>Sweeps: one at a time, by night and when somebody asks.</summary>
internal sealed class SweepDesk(StoreSweep sweep, StoreRuns runs, EventLog events, TimeProvider time)
    : CareDesk<SweepRequest, SweepProgress>(StoreRunKind.Sweep, runs, time, StoreCareJson.Default.SweepRequest, StoreCareJson.Default.SweepProgress)
{
    protected override SweepProgress First { get; } = new();

    /// <summary>A sweep that a restart interrupted is not continued: the next one finds what it left.</summary>
    public async Task ResumeAsync(CancellationToken cancellationToken)
    {
        if (await LastAsync(cancellationToken) is { State: StoreRunState.Running } interrupted)
            await GiveUpAsync(interrupted, cancellationToken);
    }

    protected override Task<SweepProgress> WorkAsync(SweepRequest request, SweepProgress from, Action<SweepProgress> report, CancellationToken cancellationToken) =>
        sweep.RunAsync(request, report, cancellationToken);

    protected override string? ProblemOf(SweepProgress progress) => progress.Problem;

    protected override SweepProgress WithProblem(SweepProgress progress, string problem) => progress with { Problem = problem };

    protected override Task AnnounceAsync(SweepRequest request, StoreRunState state, SweepProgress progress, CancellationToken cancellationToken)
    {
        if (request.DryRun && state == StoreRunState.Done)
            return Task.CompletedTask;
        var text = string.Create(CultureInfo.InvariantCulture,
            $"Sweep of the image store: {progress.ChunksRemoved} of {progress.ChunksSeen} chunks removed ({progress.BytesRemoved} bytes), {progress.ManifestsRemoved} manifests, "
            + $"{progress.TemporaryRemoved + progress.QuarantinedRemoved} other files, {progress.LeasesReleased} leases given back; {progress.ChunksYoung} chunks are too young, {progress.ChunksCountedOn} are counted on.");
        return state switch
        {
            StoreRunState.Done => events.RecordAsync("storeSwept", "store", text, cancellationToken),
            StoreRunState.Cancelled => events.RecordAsync("storeSweepCancelled", "store", text, cancellationToken),
            _ => events.RecordAsync("storeSweepFailed", "store", $"{progress.Problem} {text}", cancellationToken),
        };
    }
}
