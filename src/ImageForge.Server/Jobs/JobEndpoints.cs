using ImageForge.Contracts;
using ImageForge.Server.Access;
using ImageForge.Server.Data;
using ImageForge.Server.Errors;
using ImageForge.Server.Hosts;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace ImageForge.Server.Jobs;

internal sealed record TaskCount(HostTaskState State, int Count, long BytesDone, long BytesTotal);

/// <param name="Finished">No task of it is under way any more.</param>
internal sealed record JobSummary(Job Job, bool Finished, IReadOnlyList<TaskCount> Tasks);

internal sealed record JobDetail(Job Job, bool Finished, IReadOnlyList<HostTaskView> Tasks);

/// <summary><c>/api/v1/jobs</c> and <c>/api/v1/host-tasks</c>.</summary>
internal static class JobEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        var group = app.MapApi("jobs").WithTags("Jobs");
        group.MapGet("", List);
        group.MapGet("{id:long}", Get).Produces<JobDetail>().ProducesProblem(404);
        group.MapPost("", Create).RequireAuthorization(Scopes.Operate).Produces<JobDetail>(201).Produces<JobDetail>().ProducesProblem(400).ProducesProblem(404).ProducesProblem(409);
        group.MapPost("plan", Plan).RequireAuthorization(Scopes.Operate).Produces<JobForecast>().ProducesProblem(400).ProducesProblem(404).ProducesProblem(409);
        group.MapPost("{id:long}/cancel", Cancel).RequireAuthorization(Scopes.Operate).Produces<JobDetail>().ProducesProblem(404);
        app.MapApi("host-tasks").WithTags("Jobs").MapGet("{id:long}", GetTask).Produces<HostTaskDetail>().ProducesProblem(404);
    }

    private static async Task<Page<JobSummary>> List(int? offset, int? limit, JobStore jobs, HostTaskStore tasks, CancellationToken cancellationToken)
    {
        var page = await jobs.ListAsync(Paging.Of(offset, limit), cancellationToken);
        var counts = await tasks.CountAsync(page.Items.Select(j => j.Id), cancellationToken);
        return new Page<JobSummary>([.. page.Items.Select(j => new JobSummary(j, counts[j.Id].All(c => c.State.IsFinal()), [.. counts[j.Id]]))], page.Total);
    }

    private static async Task<IResult> Get(long id, JobStore jobs, HostTaskStore tasks, HostStore hosts, HostTaskViews views, CancellationToken cancellationToken) =>
        await jobs.FindAsync(id, cancellationToken) is { } job
            ? TypedResults.Ok(await DetailAsync(job, tasks, hosts, views, cancellationToken))
            : NoSuchJob(id);

    private static async Task<IResult> Create(
        CreateJobRequest request, [FromHeader(Name = "Idempotency-Key")] string? idempotencyKey, HttpContext context,
        JobDesk desk, HostTaskStore tasks, HostStore hosts, HostTaskViews views, CancellationToken cancellationToken)
    {
        if (idempotencyKey is { Length: 0 or > 128 })
            return Problems.BadRequest("badIdempotencyKey", "An Idempotency-Key has 1 to 128 characters.", "Use a random one for each order, for example a UUID.");
        var outcome = await desk.OrderAsync(request, context.User.NameOf(), idempotencyKey, cancellationToken);
        if (outcome.Refusal is { } no)
            return Answer(no);
        var detail = await DetailAsync(outcome.Job!, tasks, hosts, views, cancellationToken);
        return outcome.Repeated ? TypedResults.Ok(detail) : TypedResults.Created($"/api/v1/jobs/{outcome.Job!.Id}", detail);
    }

    /// <summary>The body of an order; nothing is ordered.</summary>
    private static async Task<IResult> Plan(CreateJobRequest request, JobDesk desk, CancellationToken cancellationToken) =>
        await desk.ForeseeAsync(request, cancellationToken) switch
        {
            { Forecast: { } forecast } => TypedResults.Ok(forecast),
            { Refusal: var no } => Answer(no!),
        };

    private static ProblemHttpResult Answer(Refusal no) => no.Kind switch
    {
        RefusalKind.NotFound => Problems.NotFound(no.Code, no.Sentence, no.Cure),
        RefusalKind.Conflict => Problems.Conflict(no.Code, no.Sentence, no.Cure),
        _ => Problems.BadRequest(no.Code, no.Sentence, no.Cure),
    };

    private static async Task<IResult> Cancel(
        long id, HttpContext context, JobDesk desk, JobStore jobs, HostTaskStore tasks, HostStore hosts, HostTaskViews views, CancellationToken cancellationToken)
    {
        if (await desk.CancelAsync(id, context.User.NameOf(), cancellationToken) is null)
            return NoSuchJob(id);
        return await Get(id, jobs, tasks, hosts, views, cancellationToken);
    }

    private static async Task<IResult> GetTask(long id, HostTaskStore tasks, HostStore hosts, HostTaskViews views, CancellationToken cancellationToken)
    {
        if (await tasks.FindAsync(id, cancellationToken) is not { } task)
            return Problems.NotFound("noSuchHostTask", $"There is no host task {id}.", "Find it through GET /api/v1/jobs.");
        var host = await hosts.FindAsync(task.HostId, cancellationToken);
        return TypedResults.Ok(new HostTaskDetail(views.Of(task, host), await tasks.ListEventsAsync(id, cancellationToken)));
    }

    private static async Task<JobDetail> DetailAsync(Job job, HostTaskStore tasks, HostStore hosts, HostTaskViews views, CancellationToken cancellationToken)
    {
        var list = new List<HostTaskView>();
        foreach (var task in await tasks.ListForJobAsync(job.Id, cancellationToken))
            list.Add(views.Of(task, await hosts.FindAsync(task.HostId, cancellationToken)));
        return new JobDetail(job, list.TrueForAll(t => t.State.IsFinal()), list);
    }

    private static ProblemHttpResult NoSuchJob(long id) => Problems.NotFound("noSuchJob", $"There is no job {id}.", "List them with GET /api/v1/jobs.");
}
