using ImageForge.Server.Access;
using ImageForge.Server.Errors;
using ImageForge.Server.Events;
using Microsoft.AspNetCore.Http.HttpResults;

namespace ImageForge.Server.Images;

/// <param name="KeepLast">How many unpinned versions stay when the next one is sealed, 1 or more; null: all.</param>
internal sealed record RetentionRequest(int? KeepLast);

/// <summary>Promote, pin, delete, retention.</summary>
internal static class ImageChangeEndpoints
{
    public static void MapImageChangeEndpoints(this IEndpointRouteBuilder app)
    {
        var images = app.MapApi("images").WithTags("Images");
        images.MapDelete("{name}", DeleteImageAsync).RequireAuthorization(Scopes.Admin).WithName("deleteImage").Produces(204).ProducesProblem(404).ProducesProblem(409);
        // What it removes nobody brings back: as a deletion by hand.
        images.MapPut("{name}/retention", SetRetentionAsync).RequireAuthorization(Scopes.Admin).WithName("setImageRetention").Produces(204).ProducesProblem(400).ProducesProblem(404);
        var version = images.MapGroup("{name}/versions/{number:int}");
        version.MapDelete("", DeleteAsync).RequireAuthorization(Scopes.Admin).WithName("deleteImageVersion").Produces(204).ProducesProblem(404).ProducesProblem(409);
        version.MapPost("promote", PromoteAsync).RequireAuthorization(Scopes.Operate).WithName("promoteImageVersion").Produces<VersionSummary>().ProducesProblem(404);
        version.MapPost("pin", PinAsync).RequireAuthorization(Scopes.Operate).WithName("pinImageVersion").Produces<VersionSummary>().ProducesProblem(404);
        version.MapPost("unpin", UnpinAsync).RequireAuthorization(Scopes.Operate).WithName("unpinImageVersion").Produces<VersionSummary>().ProducesProblem(404);
    }

    private static async Task<IResult> PromoteAsync(string name, int number, HttpContext context, ImageVersions versions, EventLog events, CancellationToken cancellationToken) =>
        Answer(await versions.PromoteAsync(name, number, context.User.NameOf(), events, cancellationToken), name, number);

    private static async Task<IResult> PinAsync(string name, int number, ImageVersions versions, CancellationToken cancellationToken) =>
        Answer(await versions.PinAsync(name, number, true, cancellationToken), name, number);

    private static async Task<IResult> UnpinAsync(string name, int number, ImageVersions versions, CancellationToken cancellationToken) =>
        Answer(await versions.PinAsync(name, number, false, cancellationToken), name, number);

    /// <summary>Its chunks go with the next sweep.</summary>
    private static async Task<IResult> DeleteAsync(string name, int number, HttpContext context, ImageVersions versions, EventLog events, CancellationToken cancellationToken) =>
        await versions.DeleteAsync(name, number, context.User.NameOf(), events, cancellationToken) is var outcome and not VersionOutcome.Done
            ? Answer(outcome, name, number)
            : TypedResults.NoContent();

    private static async Task<IResult> DeleteImageAsync(string name, HttpContext context, ImageVersions versions, EventLog events, CancellationToken cancellationToken) =>
        await versions.DeleteImageAsync(name, context.User.NameOf(), events, cancellationToken) is { } refused
            ? Answer(refused, name, 0)
            : TypedResults.NoContent();

    private static async Task<IResult> SetRetentionAsync(string name, RetentionRequest request, ImageVersions versions, CancellationToken cancellationToken)
    {
        if (request.KeepLast is < 1)
            return Problems.BadRequest("badRetention", "An image keeps at least its last version.", "Give \"keepLast\": 5, or null for all.");
        return await versions.SetRetentionAsync(name, request.KeepLast, cancellationToken) ? TypedResults.NoContent() : ImageEndpoints.NoSuchImage(name);
    }

    private static IResult Answer(VersionOutcome outcome, string name, int number) => outcome switch
    {
        VersionOutcome.Done(var version) => TypedResults.Ok(VersionSummary.Of(version)),
        VersionOutcome.ImageUnknown => ImageEndpoints.NoSuchImage(name),
        VersionOutcome.Kept(var reasons) => Refusal(reasons),
        _ => ImageEndpoints.NoSuchVersion(name, number),
    };

    /// <summary>409 with every reason: who removes one of them should not find the next.</summary>
    private static ProblemHttpResult Refusal(IReadOnlyList<KeepReason> reasons)
    {
        var problem = Problems.Conflict(reasons[0].Code, string.Join(' ', reasons.Select(static r => r.Sentence)), string.Join(' ', reasons.Select(static r => r.Cure).Distinct()));
        problem.ProblemDetails.Extensions["reasons"] = reasons;
        return problem;
    }
}
