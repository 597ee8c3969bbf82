using ImageForge.Server.Access;
using ImageForge.Server.Errors;
using ImageForge.Server.Images;

namespace ImageForge.Server.StoreCare;

internal sealed record SweepAnswer(long Id, StoreRunState State, string StartedBy, DateTimeOffset StartedAt, DateTimeOffset? EndedAt, SweepRequest Request, SweepProgress Progress);

/// <param name="Hurt">Every version that has bad or missing chunks now, found by whatever means.</param>
internal sealed record VerifyAnswer(
    long Id, StoreRunState State, string StartedBy, DateTimeOffset StartedAt, DateTimeOffset? EndedAt, VerifyRequest Request, VerifyProgress Progress, IReadOnlyList<HurtVersion> Hurt);

/// <summary><c>/api/v1/store</c>: sweep and verify.</summary>
internal static class StoreCareEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        var sweep = app.MapApi("store/sweep").WithTags("Store");
        sweep.MapGet("", GetSweepAsync).WithName("getStoreSweep").Produces<SweepAnswer>().ProducesProblem(404);
        sweep.MapPost("", StartSweepAsync).RequireAuthorization(Scopes.Admin).WithName("startStoreSweep").Produces<SweepAnswer>(202).ProducesProblem(409);
        sweep.MapPost("cancel", CancelSweepAsync).RequireAuthorization(Scopes.Admin).WithName("cancelStoreSweep").Produces<SweepAnswer>().ProducesProblem(409);
        var verify = app.MapApi("store/verify").WithTags("Store");
        verify.MapGet("", GetVerifyAsync).WithName("getStoreVerification").Produces<VerifyAnswer>().ProducesProblem(404);
        verify.MapPost("", StartVerifyAsync).RequireAuthorization(Scopes.Operate).WithName("startStoreVerification").Produces<VerifyAnswer>(202).ProducesProblem(404).ProducesProblem(409);
        verify.MapPost("cancel", CancelVerifyAsync).RequireAuthorization(Scopes.Operate).WithName("cancelStoreVerification").Produces<VerifyAnswer>().ProducesProblem(409);
    }

    /// <summary>The sweep that runs or ran last.</summary>
    private static async Task<IResult> GetSweepAsync(SweepDesk desk, CancellationToken cancellationToken) =>
        await SweepOfAsync(desk, cancellationToken) is { } answer
            ? TypedResults.Ok(answer)
            : Problems.NotFound("noSweep", "The store has not been swept yet.", "Start one with POST /api/v1/store/sweep, or wait for the night.");

    private static async Task<IResult> StartSweepAsync(HttpContext context, SweepDesk desk, CancellationToken cancellationToken, SweepRequest? request = null) =>
        await desk.StartAsync(request ?? new SweepRequest(), context.User.NameOf(), cancellationToken)
            ? TypedResults.Accepted("/api/v1/store/sweep", await SweepOfAsync(desk, cancellationToken))
            : Problems.Conflict("sweepRuns", "A sweep of the store is under way.", "Wait for it: GET /api/v1/store/sweep, or cancel it: POST /api/v1/store/sweep/cancel.");

    private static async Task<IResult> CancelSweepAsync(SweepDesk desk, CancellationToken cancellationToken) =>
        await desk.CancelAsync()
            ? TypedResults.Ok(await SweepOfAsync(desk, cancellationToken))
            : Problems.Conflict("noSweepRuns", "No sweep of the store is under way.", "Nothing to do.");

    /// <summary>The verification that runs or ran last.</summary>
    private static async Task<IResult> GetVerifyAsync(VerifyDesk desk, ImageVersions versions, CancellationToken cancellationToken) =>
        await VerifyOfAsync(desk, versions, cancellationToken) is { } answer
            ? TypedResults.Ok(answer)
            : Problems.NotFound("noVerification", "The store has not been verified yet.", "Start one with POST /api/v1/store/verify.");

    private static async Task<IResult> StartVerifyAsync(
        HttpContext context, VerifyDesk desk, ImageVersions versions, CancellationToken cancellationToken, VerifyRequest? request = null)
    {
        request ??= new VerifyRequest();
        if (request is { Image: null, Version: not null })
            return Problems.BadRequest("badVerification", "A version alone names nothing.", "Give the image as well, or neither for the whole store.");
        if (request.Image is not null && !(await versions.ListManifestsAsync(cancellationToken)).Any(v => StoreVerification.IsIn(request, v)))
            return Problems.NotFound("versionUnknown", "There is no sealed version of that image and number.", "List the images with GET /api/v1/images.");
        return await desk.StartAsync(request, context.User.NameOf(), cancellationToken)
            ? TypedResults.Accepted("/api/v1/store/verify", await VerifyOfAsync(desk, versions, cancellationToken))
            : Problems.Conflict("verificationRuns", "A verification of the store is under way.", "Wait for it: GET /api/v1/store/verify, or cancel it: POST /api/v1/store/verify/cancel.");
    }

    private static async Task<IResult> CancelVerifyAsync(VerifyDesk desk, ImageVersions versions, CancellationToken cancellationToken) =>
        await desk.CancelAsync()
            ? TypedResults.Ok(await VerifyOfAsync(desk, versions, cancellationToken))
            : Problems.Conflict("noVerificationRuns", "No verification of the store is under way.", "Nothing to do.");

    private static async Task<SweepAnswer?> SweepOfAsync(SweepDesk desk, CancellationToken cancellationToken) =>
        await desk.LastAsync(cancellationToken) is { } r ? new SweepAnswer(r.Id, r.State, r.StartedBy, r.StartedAt, r.EndedAt, r.Request, r.Progress) : null;

    private static async Task<VerifyAnswer?> VerifyOfAsync(VerifyDesk desk, ImageVersions versions, CancellationToken cancellationToken) =>
        await desk.LastAsync(cancellationToken) is { } r
            ? new VerifyAnswer(r.Id, r.State, r.StartedBy, r.StartedAt, r.EndedAt, r.Request, r.Progress, await versions.ListHurtAsync(cancellationToken))
            : null;
}
