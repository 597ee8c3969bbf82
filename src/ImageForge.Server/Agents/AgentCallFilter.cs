using ImageForge.Contracts;
using ImageForge.Server.Errors;
using ImageForge.Server.ImageStore;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace ImageForge.Server.Agents;

/// <summary>What an agent call needs of its task; metadata of the route.</summary>
/// <param name="Kind">The kind of task this call belongs to; null: any.</param>
/// <param name="MayBeOld">The session may be a second old: the call changes nothing about the task.</param>
/// <param name="WhenCancelled">The call is answered for a cancelled task, too.</param>
/// <param name="WhenEnded">The call is answered after the task has ended: a repeated result.</param>
internal sealed record AgentCall(JobKind? Kind = null, bool MayBeOld = false, bool WhenCancelled = false, bool WhenEnded = false);

/// <summary>
/// Lets only the holder of a current task token in, and puts its <see cref="AgentSession"/> into the request's features. Every call is a sign of life.
/// </summary>
internal sealed class AgentCallFilter(AgentSessions sessions, SignsOfLife signs, StoreSpace space) : IEndpointFilter
{
    /// <summary>More than a frame of the largest chunk (16 MiB); each endpoint then sets its own limit.</summary>
    private const int LargestBody = 32 << 20;

    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        var call = http.GetEndpoint()!.Metadata.GetRequiredMetadata<AgentCall>();
        if (!http.Request.IsHttps)
            return HttpsOnly();
        if (BearerOf(http.Request) is not { } token || await sessions.FindAsync(token, call.MayBeOld, http.RequestAborted) is not { } session)
        {
            http.Response.Headers.WWWAuthenticate = "Bearer";
            return Problems.Unauthorized("tokenRevoked", "This task token is not valid (any more): the task has ended, or another boot of the machine took it over.",
                "Restart the machine; it asks the server what to do.");
        }
        // An answer given before the body is read (cancelled, disk full) reaches the agent only if the rest of the body may still come:
        // over the API's limit the server would cut the connection, and the agent would take the answer for a broken network.
        AgentBody.Allow(http, LargestBody);
        if (Refuse(call, session) is { } refusal)
            return refusal;
        http.Features.Set(session);
        LiftRates(http);
        try
        {
            await signs.HeardAsync(session.Task, http.RequestAborted);
            return await next(context);
        }
        catch (Exception e) when (DiskFull.Is(e))
        {
            return space.Problem();
        }
        catch (BadHttpRequestException e)
        {
            return Problems.Of(e.StatusCode, "The request is not understood", "badRequest", "The request broke off or is malformed.", "Send it again.", Fault.Network);
        }
    }

    public static ProblemHttpResult HttpsOnly() =>
        Problems.Forbidden("httpsRequired", "Agents are answered over HTTPS only.", "Use the HTTPS address given on the kernel command line.", Fault.Network);

    public static ProblemHttpResult Cancelled() =>
        Problems.Conflict("cancelled", "The task was cancelled.", "Nothing to do; the machine restarts.", Fault.Cancelled);

    /// <summary>
    /// Chunks and manifests come as slowly as the network is. Only for the holder of a token: whoever else sends slowly would hold memory.
    /// </summary>
    private static void LiftRates(HttpContext context)
    {
        if (context.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } request)
            request.MinDataRate = null;
        if (context.Features.Get<IHttpMinResponseDataRateFeature>() is { } response)
            response.MinDataRate = null;
    }

    private static ProblemHttpResult? Refuse(AgentCall call, AgentSession session)
    {
        var task = session.Task;
        if (task.State == HostTaskState.Cancelled || task.State.IsActive() && task.CancelRequested)
        {
            if (!call.WhenCancelled)
                return Cancelled();
        }
        else if (task.State.IsFinal() && !call.WhenEnded)
        {
            return Problems.Unauthorized("taskEnded", $"Task {task.Id} has ended.", "Restart the machine; it asks the server what to do.");
        }
        return call.Kind is { } kind && kind != task.Kind
            ? Problems.Forbidden("wrongTask", $"Task {task.Id} is of another kind: this call belongs to {kind.ToString().ToLowerInvariant()}.", "Use an agent of the same version as the server.")
            : null;
    }

    private static string? BearerOf(HttpRequest request)
    {
        const string scheme = "Bearer ";
        var header = request.Headers.Authorization;
        return header is [{ } value] && value.StartsWith(scheme, StringComparison.OrdinalIgnoreCase) && value.Length == scheme.Length + TaskTokens.Length
            ? value[scheme.Length..]
            : null;
    }
}

internal static class AgentCallExtensions
{
    /// <summary>Behind <see cref="AgentCallFilter"/> there always is one.</summary>
    public static AgentSession Session(this HttpContext context) => context.Features.Get<AgentSession>() ?? throw new InvalidOperationException("this route is not behind the agent filter");
}
