using ImageForge.Server.Access;
using ImageForge.Server.Errors;

namespace ImageForge.Server.NetworkDoctoring;

/// <summary><c>/api/v1/network/doctor</c>: what on this network keeps machines from booting, or multicast from arriving.</summary>
internal static class DoctorEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        var group = app.MapApi("network/doctor").WithTags("Network");
        group.MapPost("", RunAsync).RequireAuthorization(Scopes.Operate).WithName("runNetworkDoctor")
            .WithSummary("Sends and listens on the interfaces for the seconds asked, and answers with the findings; one run at a time.")
            .Produces<DoctorAnswer>().ProducesProblem(400).ProducesProblem(409);
        group.MapGet("", GetLast).WithName("getNetworkDoctor").WithSummary("The findings of the last run.").Produces<DoctorAnswer>().ProducesProblem(404);
    }

    private static async Task<IResult> RunAsync(HttpContext context, DoctorDesk desk, DoctorOrders orders, CancellationToken cancellationToken, DoctorRequest? request = null)
    {
        var (order, fault) = await orders.MakeAsync(request ?? new DoctorRequest(), cancellationToken);
        if (order is null)
            return Problems.BadRequest(fault!.Code, fault.Sentence, fault.Cure);
        return desk.TryStart(order, context.User.NameOf()) is { } run
            ? TypedResults.Ok(await run.WaitAsync(cancellationToken))
            : Problems.Conflict("doctorRuns", "The network is being examined already.", "Wait for it, then read GET /api/v1/network/doctor.");
    }

    private static IResult GetLast(DoctorDesk desk) => desk.Last is { } last
        ? TypedResults.Ok(last)
        : Problems.NotFound("noDoctorRun", "The network has not been examined since the server started.", "POST /api/v1/network/doctor does it.");
}
