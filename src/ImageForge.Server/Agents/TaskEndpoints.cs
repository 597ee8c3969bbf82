using System.Text.RegularExpressions;
using ImageForge.Contracts;
using ImageForge.Imaging.Chunks;
using ImageForge.Server.Errors;
using ImageForge.Server.Events;
using ImageForge.Server.Hosts;
using ImageForge.Server.Images;
using ImageForge.Server.ImageStore;
using ImageForge.Server.Jobs;

namespace ImageForge.Server.Agents;

/// <summary>What every task does: progress, plan, result, log.</summary>
internal static partial class TaskEndpoints
{
    private const int MaxJson = 256 << 10, MaxNotes = 32;

    public static void MapTaskEndpoints(this RouteGroupBuilder agent)
    {
        agent.MapPost("task/progress", ProgressAsync).WithMetadata(new AgentCall(WhenCancelled: true));
        agent.MapPost("task/plan", PlanAsync).WithMetadata(new AgentCall(JobKind.Deploy, WhenCancelled: true));
        agent.MapPost("task/result", ResultAsync).WithMetadata(new AgentCall(WhenCancelled: true, WhenEnded: true));
        agent.MapPost("task/log", LogAsync).WithMetadata(new AgentCall(MayBeOld: true, WhenCancelled: true, WhenEnded: true));
    }

    private static async Task<IResult> ProgressAsync(HttpContext context, HostTaskStore tasks, CancellationToken cancellationToken)
    {
        var (report, problem) = await AgentBody.ReadJsonAsync(context, AgentJson.Default.ProgressReport, MaxJson, cancellationToken);
        if (report is null)
            return problem!;
        var cancelled = await tasks.RecordProgressAsync(context.Session().Task.Id, report, cancellationToken);
        return TypedResults.Json(new ProgressReply(cancelled), AgentJson.Default.ProgressReply);
    }

    private static async Task<IResult> PlanAsync(HttpContext context, HostTaskStore tasks, HostStore hosts, TaskDisks taskDisks, CancellationToken cancellationToken)
    {
        var (plan, problem) = await AgentBody.ReadJsonAsync(context, AgentJson.Default.DeployPlan, MaxJson, cancellationToken);
        if (plan is null)
            return problem!;
        var (task, job) = (context.Session().Task, context.Session().Job);
        // The agent judged by the same rule; the server does not take its word for it.
        var inventory = await hosts.FindInventoryAsync(task.HostId, cancellationToken);
        if (inventory is null || await taskDisks.ChooseAsync(JobKind.Deploy, job, inventory.Disks, cancellationToken) is not { Disks: { } chosen })
            return Reply(new PlanReply(false, "The disks of this machine leave no single target."));
        if (!TaskDisks.Match(chosen, plan, inOrder: job.Parameters.Deploy?.Rules is not null))
            return Reply(new PlanReply(false,
                $"The plan is for {string.Join(" and ", ((IEnumerable<DeployPlan>)[plan, .. plan.MoreDisks ?? []]).Take(InventoryLimits.MaxDisks).Select(p => DeviceText.Limit(p?.DiskName)))}, "
                    + $"the task is for {string.Join(" and ", chosen.Select(d => $"{d.Name} ({DiskIdentity.Of(d)})"))}."));
        return await tasks.SavePlanAsync(task.Id, PlanLimits.Apply(plan), cancellationToken)
            ? Reply(new PlanReply(true, null))
            : Reply(new PlanReply(false, "The task was cancelled."));

        static IResult Reply(PlanReply reply) => TypedResults.Json(reply, AgentJson.Default.PlanReply);
    }

    private static async Task<IResult> ResultAsync(
        HttpContext context, HostTaskStore tasks, ImageVersions versions, ChunkLeases leases, AgentSessions sessions, CorruptChunks corrupt, CancellationToken cancellationToken)
    {
        var (result, problem) = await AgentBody.ReadJsonAsync(context, AgentJson.Default.TaskResult, MaxJson, cancellationToken);
        if (result is null)
            return problem!;
        var session = context.Session();
        var task = session.Task;
        if (!result.State.IsFinal())
            return Problems.BadRequest("notAResult", "A result is succeeded, failed or cancelled.", "Use an agent of the same version as the server.");
        if (result.State == HostTaskState.Succeeded && task.Kind == JobKind.Capture && !await versions.HasSealedAsync(task.Id, cancellationToken))
            return Problems.Conflict("notSealed", "A capture has not succeeded before its manifest is sealed.", "Send the manifest first.");
        if (result.Failure?.Code == "chunkCorrupt" && task.State.IsActive() && session.Version is { } version
            && ChunkIdPattern().Match(result.Failure.Sentence ?? "") is { Success: true } found && ChunkId.TryParse(found.ValueSpan, out var id))
            await corrupt.ReportedAsync(version, id, cancellationToken);

        var ended = await tasks.FinishAsync(task.Id, Limit(result), cancellationToken);
        sessions.Forget(task.Id);
        if (ended is Transition.Moved or Transition.Unchanged)
        {
            await leases.ReleaseAsync(task.Id, cancellationToken);
            return TypedResults.NoContent();
        }
        return Problems.Conflict("taskEnded", $"Task {task.Id} has ended in another way before.", "Nothing to do; the machine restarts.");
    }

    private static async Task<IResult> LogAsync(HttpContext context, TaskLogs logs, CancellationToken cancellationToken)
    {
        var (text, problem) = await AgentBody.ReadAsync(context, TaskLogs.MaxMessage, cancellationToken);
        if (text is null)
            return problem!;
        logs.Append(context.Session().Task.Id, text.Value.Span);
        return TypedResults.NoContent();
    }

    private static TaskResult Limit(TaskResult result) => result with
    {
        Summary = AgentText.Limit(result.Summary),
        Failure = result.Failure is { } f ? new Failure(AgentText.Limit(f.Code, 64), f.Fault, AgentText.Limit(f.Sentence), AgentText.Limit(f.Cure)) : null,
        Proof = result.Proof is { } proof ? proof with { ManifestHash = AgentText.Limit(proof.ManifestHash, 64) } : null,
        Notes = [.. (result.Notes ?? []).Take(MaxNotes).Select(static note => AgentText.Limit(note))],
    };

    [GeneratedRegex("[0-9a-f]{64}", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex ChunkIdPattern();
}
