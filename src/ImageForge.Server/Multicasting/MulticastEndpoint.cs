using System.Net;
using System.Net.WebSockets;
using ImageForge.Contracts;
using ImageForge.Multicast;
using ImageForge.Multicast.Channels;
using ImageForge.Server.Agents;
using ImageForge.Server.Data;
using ImageForge.Server.Errors;
using ImageForge.Server.Hosts;
using Microsoft.AspNetCore.Http.HttpResults;

namespace ImageForge.Server.Multicasting;

/// <summary><c>GET /agent/v1/deploy/multicast</c>: a machine's connection to the session of its image, for as long as it stays.</summary>
internal static class MulticastEndpoint
{
    /// <summary>A session that has just closed makes room for the next one within its farewell.</summary>
    private const int Attempts = 200;

    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(50), s_politeness = TimeSpan.FromSeconds(2);

    public static async Task<IResult> JoinAsync(
        HttpContext context, SessionOffers offers, SessionDesk desk, SessionMembers members, HostStore hosts, IHostApplicationLifetime lifetime, TimeProvider time)
    {
        var (task, job, version) = context.Session();
        if (!context.WebSockets.IsWebSocketRequest)
            return Problems.BadRequest("webSocketOnly", "This address speaks WebSocket only.", "Use an agent of the same version as the server.", Fault.Network);
        if (job.Parameters.Multicast is null)
            return Problems.Forbidden("notMulticast", $"Job {job.Id} of task {task.Id} does not ask for multicast.", "Fetch the chunks over HTTP, or order the job with \"multicast\".");
        if (version is null)
            return Problems.NotFound("versionGone", "The image version of this task no longer exists.", "Order the job again with a version that exists.", Fault.Image);
        var host = (await hosts.FindAsync(task.HostId, context.RequestAborted))?.Name ?? $"host {task.HostId}";
        var address = context.Connection.RemoteIpAddress ?? IPAddress.None;
        for (var attempt = 1; ; attempt++)
        {
            if (await offers.FindOrBeginAsync(job, version, context.RequestAborted) is not { } row)
                return Answer(SessionFailures.Stopped($"{version.ImageName} version {version.Number}"));
            var (live, failure) = await desk.OpenAsync(row, version, context.RequestAborted);
            if (failure is { } why)
                return Answer(why);
            using var member = new LiveMember(task.Id, host, address, time.GetUtcNow());
            if (live is not null && live.TryEnter(member))
            {
                using var until = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
                await ServeAsync(context, live, member, members, until.Token);
                return TypedResults.Empty;
            }
            if (attempt == Attempts)
                return Answer(SessionFailures.Stopped(row.Image));
            await Task.Delay(s_pause, time, context.RequestAborted);
        }
    }

    private static async Task ServeAsync(HttpContext context, LiveSession live, LiveMember member, SessionMembers members, CancellationToken cancellationToken)
    {
        var end = MemberEnd.Lost;
        try
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            await members.JoinedAsync(live, member, cancellationToken);
            using (var channel = new WebSocketChannel(socket))
                end = await live.ServeAsync(member, channel, cancellationToken);
            await CloseAsync(socket, end);
        }
        catch (OperationCanceledException)
        {
            // It hung up, or the server ends; either way it comes back or does without.
        }
        finally
        {
            try
            {
                // While it is still counted: what the others hear tells why this one did not.
                await members.LeftAsync(live, member, end, CancellationToken.None);
            }
            finally
            {
                live.Leave(member);
            }
        }
    }

    /// <summary>A connection that broke is left broken, so that the machine joins again.</summary>
    private static async Task CloseAsync(WebSocket socket, MemberEnd end)
    {
        if (end is MemberEnd.Lost or MemberEnd.Silent)
        {
            socket.Abort();
            return;
        }
        try
        {
            using var polite = new CancellationTokenSource(s_politeness);
            await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, StoredName.Of(end), polite.Token);
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or IOException)
        {
            // It has gone first.
        }
    }

    private static ProblemHttpResult Answer(Failure failure) => failure.Code == "manifestMissing"
        ? Problems.NotFound(failure.Code, failure.Sentence, failure.Cure, failure.Fault)
        : failure.Code == "multicastStopped"
            ? Problems.Conflict(failure.Code, failure.Sentence, failure.Cure, failure.Fault)
            : Problems.Unavailable(failure.Code, failure.Sentence, failure.Cure, failure.Fault);
}
