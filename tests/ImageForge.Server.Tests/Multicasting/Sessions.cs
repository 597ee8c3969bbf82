using System.Buffers.Binary;
using System.Net;
using System.Text.Json;
using ImageForge.Multicast;

namespace ImageForge.Server.Tests.Multicasting;

/// <summary>What people see of sessions, and the few messages a foreign member would write by hand (ImageForge.Multicast/README.md, Messages).</summary>
internal static class Sessions
{
    public static Task<JsonElement> GetAsync(HttpClient reader, long id) => reader.GetAsync($"api/v1/sessions/{id}", HttpStatusCode.OK);

    /// <summary>Asks until a session is as it should be.</summary>
    public static async Task<JsonElement> UntilAsync(HttpClient reader, long id, Func<JsonElement, bool> condition, double seconds = 20)
    {
        var last = default(JsonElement);
        for (var began = TimeProvider.System.GetTimestamp(); TimeProvider.System.GetElapsedTime(began).TotalSeconds < seconds; await Task.Delay(50))
        {
            // Before its first machine has checked in there is none.
            using var response = await reader.GetAsync($"api/v1/sessions/{id}");
            if (response.StatusCode == HttpStatusCode.NotFound)
                continue;
            last = await response.JsonAsync(HttpStatusCode.OK);
            if (condition(last))
                return last;
        }
        Assert.Fail($"not within {seconds} s: {last}");
        return last;
    }

    /// <summary>Message 1: lacks all chunks.</summary>
    public static byte[] Join(int chunks)
    {
        var message = new byte[22];
        message[0] = 1;
        message[1] = 1;
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(2), 512);
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(6), chunks);
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(10), 1);
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(18), chunks);
        return message;
    }

    /// <summary>Message 5.</summary>
    public static byte[] Leave(byte reason) => [5, reason];
}

internal static class Outcomes
{
    /// <summary>The sender leaves a remainder of at most 16 copies to HTTP; on a busy machine the socket drops as much.</summary>
    private const int LeftToHttp = 16;

    public static void HasWhatTheStreamGives(this ReceiveOutcome outcome) =>
        Assert.True(outcome.End == ReceiveEnd.Complete || (outcome.End == ReceiveEnd.GoOnOverHttp && outcome.Lacking.Count <= LeftToHttp), $"{outcome}, lacks {outcome.Lacking.Count}");
}

internal static class Wait
{
    public static async Task ForAsync(Func<bool> condition, double seconds = 20)
    {
        for (var began = TimeProvider.System.GetTimestamp(); !condition(); await Task.Delay(10))
            Assert.True(TimeProvider.System.GetElapsedTime(began).TotalSeconds < seconds, $"not within {seconds} s");
    }
}
