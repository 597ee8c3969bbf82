using ImageForge.Server.Access;
using ImageForge.Server.Errors;
using ImageForge.Server.Images;
using Microsoft.AspNetCore.Http.HttpResults;

namespace ImageForge.Server.Shrinking;

/// <summary><c>/api/v1/images/{name}/versions/{n}/shrink</c>: a version for smaller disks, made from one that is there.</summary>
internal static class ShrinkEndpoints
{
    private const long LeastDisk = 1 << 20, LargestDisk = 1L << 50;

    public static void Map(IEndpointRouteBuilder app)
    {
        var group = app.MapApi("images").WithTags("Images");
        group.MapPost("{name}/versions/{number:int}/shrink", OrderAsync).RequireAuthorization(Scopes.Operate).WithName("shrinkImageVersion")
            .Produces<ShrinkRun>(202).Produces<ShrinkRun>().ProducesProblem(400).ProducesProblem(404);
        group.MapPost("{name}/versions/{number:int}/shrink/cancel", CancelAsync).RequireAuthorization(Scopes.Operate).WithName("cancelImageVersionShrink")
            .Produces<IReadOnlyList<ShrinkRun>>().ProducesProblem(404).ProducesProblem(409);
        group.MapGet("{name}/versions/{number:int}/shrink", ListAsync).WithName("listImageVersionShrinks").Produces<IReadOnlyList<ShrinkRun>>().ProducesProblem(404);
    }

    private static async Task<IResult> OrderAsync(string name, int number, ShrinkRequest request, HttpContext context, ImageVersions versions, ShrinkDesk desk, CancellationToken cancellationToken)
    {
        if (request.DiskBytes is < LeastDisk or > LargestDisk)
            return Problems.BadRequest("badDiskBytes", $"diskBytes is the size of the smaller disk, {LeastDisk} to {LargestDisk}.", "Read it from the host's inventory.");
        if (await versions.FindAsync(name, number, cancellationToken) is not { } version)
            return NoSuchVersion(name, number);
        if (await desk.OrderAsync(version, request.DiskBytes, context.User.NameOf(), cancellationToken) is not { } run)
            return NoSuchVersion(name, number);
        var at = $"/api/v1/images/{Uri.EscapeDataString(name)}/versions/{number}/shrink";
        return run.State == ShrinkState.Running ? TypedResults.Accepted(at, run) : TypedResults.Ok(run);
    }

    /// <summary>All orders for the version, or only the one for a disk of <paramref name="diskBytes"/>.</summary>
    private static async Task<IResult> CancelAsync(string name, int number, long? diskBytes, ImageVersions versions, ShrinkDesk desk, CancellationToken cancellationToken)
    {
        if (await versions.FindAsync(name, number, cancellationToken) is not { } version)
            return NoSuchVersion(name, number);
        return await desk.CancelAsync(version, diskBytes) is { Count: > 0 } ended
            ? TypedResults.Ok(ended)
            : Problems.Conflict("noShrinkRuns", "No smaller version is being made from it.", "Nothing to do.");
    }

    private static async Task<IResult> ListAsync(string name, int number, ImageVersions versions, ShrinkDesk desk, CancellationToken cancellationToken) =>
        await versions.FindAsync(name, number, cancellationToken) is { } version ? TypedResults.Ok(desk.RunsOf(version)) : NoSuchVersion(name, number);

    private static ProblemHttpResult NoSuchVersion(string name, int number) =>
        Problems.NotFound("versionUnknown", $"There is no version {number} of an image named {name}.", "List the images with GET /api/v1/images.");
}
