using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using ImageForge.Server.Errors;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;

namespace ImageForge.Server.Agents;

/// <summary>Reads request bodies with a bound.</summary>
internal static class AgentBody
{
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

    /// <summary>The whole body, at most <paramref name="maxBytes"/>, or the problem to answer.</summary>
    public static async Task<(ReadOnlyMemory<byte>? Bytes, ProblemHttpResult? Problem)> ReadAsync(HttpContext context, int maxBytes, CancellationToken cancellationToken)
    {
        Allow(context, maxBytes);
        if (context.Request.ContentLength > maxBytes)
            return (null, TooLarge(maxBytes));
        var buffer = new byte[(int)Math.Min(maxBytes, context.Request.ContentLength ?? 16 << 10)];
        var length = 0;
        while (true)
        {
            if (length == buffer.Length)
            {
                // Full: either the end, or the sender did not say how long it is.
                var probe = new byte[1];
                if (await context.Request.Body.ReadAsync(probe, cancellationToken) == 0)
                    break;
                if (length == maxBytes)
                    return (null, TooLarge(maxBytes));
                Array.Resize(ref buffer, (int)Math.Min(maxBytes, Math.Max(2L * length, 4096)));
                buffer[length++] = probe[0];
                continue;
            }
            var read = await context.Request.Body.ReadAsync(buffer.AsMemory(length), cancellationToken);
            if (read == 0)
                break;
            length += read;
        }
        return (buffer.AsMemory(0, length), null);
    }

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
