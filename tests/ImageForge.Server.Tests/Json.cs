using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace ImageForge.Server.Tests;

/// <summary>Short ways to speak JSON with the server as a foreign client would: no type of ours on this side.</summary>
public static class Json
{
    public static async Task<JsonElement> GetAsync(this HttpClient client, string path, HttpStatusCode expected) =>
        await (await client.GetAsync(path)).JsonAsync(expected);

    public static async Task<JsonElement> PostAsync(this HttpClient client, string path, object? body, HttpStatusCode expected) =>
        await (await client.PostAsync(path, body is null ? null : JsonContent.Create(body))).JsonAsync(expected);

    public static async Task<JsonElement> JsonAsync(this HttpResponseMessage response, HttpStatusCode expected)
    {
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == expected, $"{(int)response.StatusCode} instead of {(int)expected}: {text}");
        return text.Length == 0 ? default : JsonDocument.Parse(text).RootElement.Clone();
    }

    public static string Text(this JsonElement element, string property) => element.GetProperty(property).GetString()!;
}
