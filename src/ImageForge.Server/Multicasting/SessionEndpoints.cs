using ImageForge.Server.Access;
using ImageForge.Server.Data;
using ImageForge.Server.Errors;
using Microsoft.AspNetCore.Http.HttpResults;

namespace ImageForge.Server.Multicasting;

/// <summary><c>/api/v1/sessions</c>: what is being multicast, to whom, how fast, and who is behind.</summary>
internal static class SessionEndpoints
{
    public static void MapSessionEndpoints(this WebApplication app)
    {
        var group = app.MapApi("sessions").WithTags("Multicast");
        group.MapGet("", ListAsync).WithSummary("The multicast sessions, newest first.");
        group.MapGet("{id:long}", GetAsync).WithSummary("One session with its machines, as they are now.");
        group.MapPost("{id:long}/start", StartAsync).RequireAuthorization(Scopes.Operate).ProducesProblem(404).ProducesProblem(409)
            .WithSummary("Begins a scheduled-cast now, with whoever is there.");
        group.MapPost("{id:long}/stop", StopAsync).RequireAuthorization(Scopes.Operate).ProducesProblem(404)
            .WithSummary("Ends a session; its machines go on over HTTP, and so do those of jobs ordered before.");
    }

    private static async Task<Page<MulticastSessionView>> ListAsync(int? offset, int? limit, SessionStore store, SessionDesk desk, CancellationToken cancellationToken)
    {
        var page = await store.ListAsync(Paging.Of(offset, limit), cancellationToken);
        return new Page<MulticastSessionView>([.. page.Items.Select(row => SessionViews.Of(row, desk.Find(row.Id)))], page.Total);
    }

    private static async Task<Results<Ok<MulticastSessionDetail>, ProblemHttpResult>> GetAsync(long id, SessionStore store, SessionDesk desk, CancellationToken cancellationToken) =>
        await store.FindAsync(id, cancellationToken) is { } row ? TypedResults.Ok(await DetailAsync(row, store, desk, cancellationToken)) : NoSuchSession(id);

    private static async Task<Results<Ok<MulticastSessionDetail>, ProblemHttpResult>> StartAsync(long id, HttpContext context, SessionStore store, SessionDesk desk, CancellationToken cancellationToken)
    {
        if (await store.FindAsync(id, cancellationToken) is not { } row)
            return NoSuchSession(id);
        return await desk.StartNowAsync(row, context.User.NameOf(), cancellationToken)
            ? await GetAsync(id, store, desk, cancellationToken)
            : Problems.Conflict("sessionEnded", $"Multicast session {id} has ended.", "Order a new job; its machines get a new session.");
    }

    private static async Task<Results<Ok<MulticastSessionDetail>, ProblemHttpResult>> StopAsync(long id, HttpContext context, SessionStore store, SessionDesk desk, CancellationToken cancellationToken)
    {
        if (await store.FindAsync(id, cancellationToken) is not { } row)
            return NoSuchSession(id);
        await desk.StopAsync(row, context.User.NameOf(), cancellationToken);
        return await GetAsync(id, store, desk, cancellationToken);
    }

    private static async Task<MulticastSessionDetail> DetailAsync(SessionRow row, SessionStore store, SessionDesk desk, CancellationToken cancellationToken)
    {
        var live = desk.Find(row.Id);
        live?.Observe();
        return new MulticastSessionDetail(SessionViews.Of(row, live), [.. (await store.ListMembersAsync(row.Id, cancellationToken)).Select(m => SessionViews.Of(m, live))]);
    }

    private static ProblemHttpResult NoSuchSession(long id) => Problems.NotFound("noSuchSession", $"There is no multicast session {id}.", "List them with GET /api/v1/sessions.");
}
