using ImageForge.Contracts;
using ImageForge.Server.Access;
using ImageForge.Server.Errors;
using ImageForge.Server.Hosts;
using ImageForge.Server.Listening;
using Microsoft.AspNetCore.Http.HttpResults;

namespace ImageForge.Server.Boot;

/// <param name="Script">What the machine would get, with a placeholder where its one-time token stands.</param>
internal sealed record BootDecisionView(
    string Mac, BootWay Decision, string Reason, long? TaskId, long? HostId, string? HostName, HostState? HostState, string Script);

internal sealed record BootTimelineView(string Mac, IReadOnlyList<BootEvent> Events);

/// <summary>The boot question for people and programs: <c>GET /api/v1/hosts/{mac}/boot-decision</c> and <c>…/boot-timeline</c>.</summary>
internal static class BootApiEndpoints
{
    public static void MapBootApi(this WebApplication app)
    {
        var hosts = app.MapGroup("/api/v1/hosts/{mac}").RequireAuthorization(Scopes.Read).WithTags("Boot");
        hosts.MapGet("/boot-decision", DecisionAsync)
            .WithSummary("What this machine would boot now, and why; asking changes nothing.");
        hosts.MapGet("/boot-timeline", TimelineAsync)
            .WithSummary("What was seen of this machine while it booted, oldest first.");
    }

    private static async Task<Results<Ok<BootDecisionView>, ProblemHttpResult>> DecisionAsync(
        string mac, HttpContext context, BootDecider decider, BootAnswers answers, ServerAddresses server, CancellationToken cancellationToken)
    {
        if (!MacAddress.TryParse(mac, out var parsed))
            return NotAMac(mac);
        var decision = await decider.DecideAsync(parsed, cancellationToken);
        var script = answers.Preview(decision, parsed, BootAddresses.Of(context, server));
        return TypedResults.Ok(new BootDecisionView(
            parsed.ToString(), decision.Way, decision.Reason, decision.Task?.Id, decision.Host?.Id, decision.Host?.Name, decision.Host?.State, script));
    }

    /// <param name="after">Only events with a larger id: ask again with the last one seen.</param>
    private static async Task<Results<Ok<BootTimelineView>, ProblemHttpResult>> TimelineAsync(
        string mac, BootTimeline timeline, CancellationToken cancellationToken, long? after = null, int limit = 100)
    {
        if (!MacAddress.TryParse(mac, out var parsed))
            return NotAMac(mac);
        var events = await timeline.ListAsync(parsed, after, Math.Clamp(limit, 1, BootTimeline.KeptPerMac), cancellationToken);
        return TypedResults.Ok(new BootTimelineView(parsed.ToString(), events));
    }

    private static ProblemHttpResult NotAMac(string text) =>
        Problems.BadRequest("notAMac", $"\"{DeviceText.Limit(text)}\" is not a MAC address.", "Write it as 3c:ec:ef:4c:4f:54.");
}
