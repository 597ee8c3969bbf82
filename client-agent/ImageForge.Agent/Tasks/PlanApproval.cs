using ImageForge.Contracts;

namespace ImageForge.Agent.Tasks;

/// <summary>Shows the plan on the screen and to the server, which says go or not.</summary>
internal static class PlanApproval
{
    /// <summary>After a refused plan: long enough for the heartbeat to hear that the reason is a cancelled job.</summary>
    private static readonly TimeSpan s_twoHeartbeats = TimeSpan.FromSeconds(2);

    /// <returns>Null: go. Else why not.</returns>
    public static async Task<Failure?> AskAsync(DeployPlan plan, TaskContext context, CancellationToken cancel)
    {
        foreach (var shown in (IEnumerable<DeployPlan>)[plan, .. plan.MoreDisks ?? []])
            PlanFacts.Show(context.Display, shown);
        context.Progress.Begin(HostTaskState.Preparing, "the server checks the plan");
        var reply = await context.Server.ShowPlanAsync(plan, cancel);
        if (reply.Go)
            return null;
        await Task.Delay(s_twoHeartbeats, context.Time, cancel);
        return new Failure("planRefused", Fault.Server, $"The server refused the plan: {reply.Reason ?? "it gave no reason."}",
            "Look at the host and the job on the server; nothing was written to the disk.");
    }
}
