using System.Net;
using System.Net.Http.Headers;
using System.Security.Authentication;
using System.Text.Json;
using ImageForge.Contracts;

namespace ImageForge.Agent.Server;

/// <summary>
/// One request to the server, repeated until it is answered: a server that is away or restarting is waited for,
/// a refusal becomes a <see cref="FailureException"/> in the server's own words.
/// </summary>
/// <param name="patience">How long one request is repeated before the server counts as gone.</param>
internal sealed partial class ServerConnection(
    HttpMessageInvoker http, Uri server, TimeSpan patience, ServerReach reach, TimeProvider time, Random random)
{
    /// <summary>A 503 that asking again does not cure: the server has dropped what arrived last and must be sent it again first.</summary>
    public const string StoreNotDurable = "storeNotDurable";

    private const int LargestProblem = 64 << 10;

    /// <summary>Makes a fresh request for each attempt; a sent one cannot be sent again.</summary>
    public delegate HttpContent? Body();

    public delegate ValueTask<T> Reader<T>(HttpResponseMessage response, CancellationToken cancel);

    public string? TaskToken { get; set; }

    /// <summary>Of the server: it is always named by address.</summary>
    public IPAddress Address => IPAddress.Parse(server.Host.Trim('[', ']'));

    /// <summary>Repeats the request until the server answers with success or refusal.</summary>
    /// <param name="attemptTimeout">Longest time for one attempt, body included.</param>
    /// <param name="ownPatience">Instead of the connection's.</param>
    /// <exception cref="FailureException">It refused, or patience ended (then with a <see cref="ServerAwayException"/> inside).</exception>
    public Task<T> SendAsync<T>(
        HttpMethod method, string path, Body? body, Reader<T> read, TimeSpan attemptTimeout, CancellationToken cancel, TimeSpan? ownPatience = null) =>
        RepeatAsync(() => SendOnceAsync(method, path, body, read, attemptTimeout, cancel), ownPatience ?? patience, cancel);

    /// <summary>One attempt.</summary>
    /// <exception cref="ServerAwayException">The server did not answer, or answered that it cannot now.</exception>
    /// <exception cref="FailureException">It refused.</exception>
    public Task<T> SendOnceAsync<T>(
        HttpMethod method, string path, Body? body, Reader<T> read, TimeSpan attemptTimeout, CancellationToken cancel) =>
        AttemptAsync(async either =>
        {
            using var request = Request(method, path);
            request.Content = body?.Invoke();
            using var response = await http.SendAsync(request, either);
            if (!response.IsSuccessStatusCode)
                throw await RefusalAsync(response, path, either);
            return await read(response, either);
        }, attemptTimeout, cancel);

    private HttpRequestMessage Request(HttpMethod method, string path)
    {
        var request = new HttpRequestMessage(method, new Uri(server, "/agent/v1/" + path));
        if (TaskToken is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", TaskToken);
        return request;
    }

    private async Task<T> RepeatAsync<T>(Func<Task<T>> attempt, TimeSpan limit, CancellationToken cancel)
    {
        var backoff = new Backoff(random);
        long? firstLoss = null;
        for (; ; )
        {
            TimeSpan? asked = null;
            try
            {
                return await attempt();
            }
            catch (ServerAwayException away)
            {
                firstLoss ??= time.GetTimestamp();
                if (time.GetElapsedTime(firstLoss.Value) >= limit)
                    throw new FailureException(Gone(away.Message, limit), away);
                asked = away.RetryAfter;
            }
            var wait = backoff.Next();
            await Task.Delay(asked > wait ? asked.Value : wait, time, cancel);
        }
    }

    private async Task<T> AttemptAsync<T>(Func<CancellationToken, Task<T>> attempt, TimeSpan attemptTimeout, CancellationToken cancel)
    {
        using var deadline = new CancellationTokenSource(attemptTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancel);
        try
        {
            var result = await attempt(either.Token);
            reach.Answered();
            return result;
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            throw;
        }
        catch (Exception e) when (Inner<FailureException>(e) is { } failure)
        {
            if (e == failure)
                throw;
            throw new FailureException(failure.Failure, e);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException or AuthenticationException or JsonException)
        {
            var reason = e switch
            {
                OperationCanceledException => $"no answer within {attemptTimeout.TotalSeconds:0} s",
                _ => (e.InnerException ?? e).Message,
            };
            reach.Lost(reason);
            throw new ServerAwayException(reason, e);
        }
        catch (ServerAwayException away)
        {
            reach.Lost(away.Message);
            throw;
        }
    }

    private async Task<Exception> RefusalAsync(HttpResponseMessage response, string path, CancellationToken cancel)
    {
        var status = response.StatusCode;
        var problem = await ReadProblemAsync(response, cancel);
        var away = (int)status >= 500 && status != HttpStatusCode.InsufficientStorage && problem?.Code != StoreNotDurable
            || status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests;
        if (away)
            return new ServerAwayException(problem?.Detail?.TrimEnd('.') ?? $"the server answered {(int)status} {response.ReasonPhrase}")
            {
                RetryAfter = Asked(response),
                Reason = problem is { Code: { } code, Detail: { } detail } ? new Failure(code, problem.Fault ?? Fault.Server, detail, problem.Hint ?? "") : null,
            };

        reach.Answered();
        return new FailureException(new Failure(
            problem?.Code ?? (status == HttpStatusCode.Unauthorized ? "tokenRefused" : "serverRefused"),
            problem?.Fault ?? Fault.Server,
            problem?.Detail ?? problem?.Title ?? $"The server refused {path} with {(int)status} {response.ReasonPhrase}.",
            problem?.Hint ?? "Look at the job on the server, then start the machine again."));
    }

    private static TimeSpan? Asked(HttpResponseMessage response) =>
        response.Headers.RetryAfter?.Delta is { } delta && delta < TimeSpan.FromSeconds(30) ? delta : null;

    private static async Task<Problem?> ReadProblemAsync(HttpResponseMessage response, CancellationToken cancel)
    {
        if (response.Content.Headers.ContentType?.MediaType?.EndsWith("json", StringComparison.Ordinal) != true)
            return null;
        try
        {
            return JsonSerializer.Deserialize(await ReadAllAsync(response, LargestProblem, cancel), AgentJson.Default.Problem);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Reads a whole body of at most <paramref name="most"/> bytes.</summary>
    public static async ValueTask<byte[]> ReadAllAsync(HttpResponseMessage response, int most, CancellationToken cancel)
    {
        using var body = await response.Content.ReadAsStreamAsync(cancel);
        using var bytes = new MemoryStream();
        var buffer = new byte[16 << 10];
        int length;
        while ((length = await body.ReadAsync(buffer, cancel)) > 0)
        {
            if (bytes.Length + length > most)
                throw new FailureException("answerTooLong", Fault.Server, $"The server sent more than {most} bytes where less was agreed.",
                    "Use the agent and the server of the same release.");
            bytes.Write(buffer, 0, length);
        }
        return bytes.ToArray();
    }

    private Failure Gone(string reason, TimeSpan limit) => new(
        "serverGone", Fault.Network,
        $"The server at {server.Authority} has not answered for {limit.TotalSeconds:0} s: {reason}.",
        "Check that the server runs and the cable is in, then start the machine again: the task goes on where it stopped.");

    private static T? Inner<T>(Exception? e) where T : Exception
    {
        for (; e is not null; e = e.InnerException)
        {
            if (e is T wanted)
                return wanted;
        }
        return null;
    }
}

/// <summary>The server does not answer now; asking again may help.</summary>
internal sealed class ServerAwayException(string message, Exception? inner = null) : Exception(message, inner)
{
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>What it said, if it said anything.</summary>
    public Failure? Reason { get; init; }
}
