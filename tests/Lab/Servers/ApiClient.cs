using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using ImageForge.Lab.Networks;

namespace ImageForge.Lab.Servers;

/// <summary>A script of an administrator: speaks /api/v1 over HTTPS with an API token, from the bridge's namespace.</summary>
public sealed class ApiClient : IDisposable
{
    private readonly HttpClient _http;

    public ApiClient(LabNetwork network, string? token = null)
    {
        _http = new HttpClient(NamespaceSockets.Handler(network.Machines))
        {
            BaseAddress = new Uri($"https://{LabNetwork.ServerAddress}:8443/"),
            Timeout = TimeSpan.FromSeconds(20),
        };
        Token = token;
    }

    public string? Token
    {
        get;
        set
        {
            field = value;
            _http.DefaultRequestHeaders.Authorization = value is null ? null : new AuthenticationHeaderValue("Bearer", value);
        }
    }

    /// <summary>Makes the first administrator with the code from the console, signs in and makes an API token for the rest.</summary>
    public async Task SetUpAsync(string code)
    {
        _http.DefaultRequestHeaders.Add("X-ImageForge", "1");
        await PostAsync("api/v1/setup", new JsonObject { ["code"] = code, ["name"] = "admin", ["password"] = "four words for labs" });
        await PostAsync("api/v1/session", new JsonObject { ["name"] = "admin", ["password"] = "four words for labs" });
        var created = await PostAsync("api/v1/tokens", new JsonObject { ["name"] = "lab", ["scopes"] = new JsonArray("admin", "operate", "read") });
        Token = (string?)created!["secret"] ?? throw new LabException($"no token in {created.ToJsonString()}");
    }

    public Task<JsonNode?> GetAsync(string path) => SendAsync(HttpMethod.Get, path, null);

    public Task<JsonNode?> PostAsync(string path, JsonNode? body = null) => SendAsync(HttpMethod.Post, path, body);

    /// <exception cref="ApiRefusedException">The server answered with a problem.</exception>
    public async Task<JsonNode?> SendAsync(HttpMethod method, string path, JsonNode? body)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
            request.Content = JsonContent.Create(body);
        using var response = await _http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        if (!response.IsSuccessStatusCode)
            throw new ApiRefusedException((int)response.StatusCode, $"{method} {path}: {(int)response.StatusCode} {text}");
        return text.Length == 0 ? null : JsonNode.Parse(text);
    }

    public void Dispose() => _http.Dispose();
}

/// <summary>The API said no.</summary>
public sealed class ApiRefusedException(int status, string message) : Exception(message)
{
    public int Status { get; } = status;
}
