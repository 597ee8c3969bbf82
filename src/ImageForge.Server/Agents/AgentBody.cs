using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using ImageForge.Contracts;
using ImageForge.Server.Errors;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;

namespace ImageForge.Server.Agents;

/// <summary>Reads request bodies with a bound.</summary>
internal static class AgentBody
{
    // Longer than any pause of a network that is going to come back on the same connection.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private const int FirstBuffer = 16 << 10;

    /// <summary>The body as JSON, or the problem to answer.</summary>
    public static async Task<(T? Value, ProblemHttpResult? Problem)> ReadJsonAsync<T>(
        HttpContext context, JsonTypeInfo<T> type, int maxBytes, CancellationToken cancellationToken) where T : class
    {
        var (bytes, problem) = await ReadAsync(context, maxBytes, cancellationToken);
        if (problem is not null)
            return (null, problem);
        try
        {
            if (JsonSerializer.Deserialize(bytes!.Value.Span, type) is { } value)
                return (value, null);
        }
        catch (JsonException)
        {
            // Answered below; what was wrong inside is of no use to an agent.
        }
        return (null, Problems.BadRequest("badJson", $"The body is not a {typeof(T).Name} in JSON.", "Use an agent of the same version as the server."));
    }

    /// <summary>The whole body, at most <paramref name="maxBytes"/>, or the problem to answer: also when nothing arrives for half a minute.</summary>
    public static Task<(ReadOnlyMemory<byte>? Bytes, ProblemHttpResult? Problem)> ReadAsync(HttpContext context, int maxBytes, CancellationToken cancellationToken) =>
        ReadAsync(context, maxBytes, Patience, cancellationToken);

    internal static async Task<(ReadOnlyMemory<byte>? Bytes, ProblemHttpResult? Problem)> ReadAsync(
        HttpContext context, int maxBytes, TimeSpan patience, CancellationToken cancellationToken)
    {
        Allow(context, maxBytes);
        if (context.Request.ContentLength > maxBytes)
            return (null, TooLarge(maxBytes));
        // Memory follows what has arrived: a Content-Length costs its sender nothing.
        var buffer = new byte[(int)Math.Min(Math.Min(maxBytes, FirstBuffer), context.Request.ContentLength ?? FirstBuffer)];
        var length = 0;
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            while (await FillAsync())
            {
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return (null, TooSlow());
        }
        return length > maxBytes ? (null, TooLarge(maxBytes)) : (buffer.AsMemory(0, length), null);

        // False at the end, or when it is certain that there is too much.
        async ValueTask<bool> FillAsync()
        {
            waiting.CancelAfter(patience);
            if (length < buffer.Length)
            {
                var read = await context.Request.Body.ReadAsync(buffer.AsMemory(length), waiting.Token);
                length += read;
                return read != 0;
            }
            // Full: either the end, or more comes than fits.
            var probe = new byte[1];
            if (await context.Request.Body.ReadAsync(probe, waiting.Token) == 0)
                return false;
            if (length++ == maxBytes)
                return false;
            Array.Resize(ref buffer, (int)Math.Min(maxBytes, Math.Max(2L * buffer.Length, 4096)));
            buffer[length - 1] = probe[0];
            return true;
        }
    }

    public static ProblemHttpResult TooSlow() =>
        Problems.Of(StatusCodes.Status408RequestTimeout, "Too slow", "bodyTooSlow", "The request did not arrive in time.", "Check the network of this machine; it sends it again.", Fault.Network);

    public static ProblemHttpResult TooLarge(long maxBytes) =>
        Problems.TooLarge("bodyTooLarge", $"The body is larger than the {maxBytes} bytes allowed here.", "Use an agent of the same version as the server.");

    /// <summary>
    /// Sets the limit of this request some way above <paramref name="maxBytes"/>: a body that is a little too large is then read to its end and
    /// the sender hears why; with the connection cut under it, it would not.
    /// </summary>
    public static void Allow(HttpContext context, long maxBytes)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            limit.MaxRequestBodySize = maxBytes + (4 << 20);
    }
}
