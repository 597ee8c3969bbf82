using System.Globalization;
using ImageForge.Server.Events;
using ImageForge.Server.Images;

namespace ImageForge.Server.StoreCare;

/// <summary>Verifications: one at a time; a restart goes on where the last one was.</summary>
internal sealed class VerifyDesk(StoreVerification verification, StoreRuns runs, ImageVersions versions, EventLog events, TimeProvider time)
    : CareDesk<VerifyRequest, VerifyProgress>(StoreRunKind.Verification, runs, time, StoreCareJson.Default.VerifyRequest, StoreCareJson.Default.VerifyProgress)
{
    private const int NamedInEvent = 20;

    protected override VerifyProgress First { get; } = new();

    public async Task ResumeAsync(CancellationToken cancellationToken)
    {
        if (await LastAsync(cancellationToken) is { State: StoreRunState.Running or StoreRunState.Interrupted } interrupted)
            await ContinueAsync(interrupted);
    }

    protected override Task<VerifyProgress> WorkAsync(VerifyRequest request, VerifyProgress from, Action<VerifyProgress> report, CancellationToken cancellationToken) =>
        verification.RunAsync(request, from, report, cancellationToken);

    protected override string? ProblemOf(VerifyProgress progress) => progress.Problem;

    protected override VerifyProgress WithProblem(VerifyProgress progress, string problem) => progress with { Problem = problem };

    protected override async Task AnnounceAsync(VerifyRequest request, StoreRunState state, VerifyProgress progress, CancellationToken cancellationToken)
    {
        var what = (request.Image, request.Version) switch
        {
            (null, _) => "the image store",
            ({ } image, null) => image,
            ({ } image, { } version) => $"{image} version {version}",
        };
        var hurt = (await versions.ListHurtAsync(cancellationToken)).Select(static h => $"{h.Image} version {h.Version} ({h.BadChunks} chunks)")
            .Concat((progress.BadManifests ?? []).Select(static m => $"{m} (its manifest)")).ToList();
        var names = hurt.Count == 0 ? "No version is hurt." : $"Hurt: {string.Join(", ", hurt.Take(NamedInEvent))}{(hurt.Count > NamedInEvent ? $" and {hurt.Count - NamedInEvent} more" : "")}.";
        var text = string.Create(CultureInfo.InvariantCulture,
            $"Verification of {what}: {progress.ChunksGood} chunks good, {progress.ChunksBad} bad and set aside, {progress.ChunksMissing} missing, {progress.ChunksUnreadable} not readable now. {names}");
        await events.RecordAsync(state switch
        {
            StoreRunState.Done => "storeVerified",
            StoreRunState.Cancelled => "storeVerifyCancelled",
            _ => "storeVerifyFailed",
        }, "store", state == StoreRunState.Failed ? $"{progress.Problem} {text}" : text, cancellationToken);
    }
}
