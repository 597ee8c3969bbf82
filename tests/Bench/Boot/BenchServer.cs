using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace ImageForge.Bench.Boot;

/// <summary>The published server on loopback ports with a data folder of its own, prepared over its API as an administrator would.</summary>
internal sealed class BenchServer : IAsyncDisposable
{
    private readonly Process _process;
    private readonly HttpClient _api;
    private readonly TaskCompletionSource<string> _setUpCode;

    private BenchServer(Process process, HttpClient api, IPEndPoint http, TaskCompletionSource<string> setUpCode) =>
        (_process, _api, Http, _setUpCode) = (process, api, http, setUpCode);

    public IPEndPoint Http { get; }

    /// <summary>User and system time of the server's process since it started.</summary>
    public TimeSpan ProcessorTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    public static async Task<BenchServer> StartAsync(string folder, params string[] settings)
    {
        var program = Find();
        var http = new IPEndPoint(IPAddress.Loopback, Ports.Free());
        var https = Ports.Free();
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        string[] arguments =
        [
            program, $"--ImageForge:DataFolder={Path.Combine(folder, "data")}", "--ImageForge:ListenAddress=127.0.0.1",
            $"--ImageForge:Http:Port={http.Port}", $"--ImageForge:Https:Port={https}", .. settings.Select(s => $"--ImageForge:{s}"),
        ];
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        var process = Process.Start(start)!;
        var code = new TaskCompletionSource<string>();
        process.OutputDataReceived += (_, line) =>
        {
            if (line.Data is not null && Regex.Match(line.Data, @"/setup[#?](?:code=)?([\w-]+)") is { Success: true } match)
                code.TrySetResult(match.Groups[1].Value);
        };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var handler = new SocketsHttpHandler { CookieContainer = new CookieContainer() };
        // The server on our own loopback made its certificate a second ago: the first key seen is its own.
        string? key = null;
        handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate?.GetPublicKeyString() == (key ??= certificate?.GetPublicKeyString());
        var server = new BenchServer(process, new HttpClient(handler) { BaseAddress = new Uri($"https://127.0.0.1:{https}/") }, http, code);
        for (var i = 0; i < 300; i++)
        {
            if (process.HasExited)
                throw new InvalidOperationException($"the server ended with {process.ExitCode}");
            try
            {
                using var health = await server._api.GetAsync(new Uri("healthz", UriKind.Relative));
                if (health.IsSuccessStatusCode)
                    return server;
            }
            catch (HttpRequestException)
            {
            }
            await Task.Delay(100);
        }
        throw new InvalidOperationException("the server did not answer within 30 s");
    }

    public async Task SetUpAsync()
    {
        _api.DefaultRequestHeaders.Add("X-ImageForge", "1");
        var code = await _setUpCode.Task.WaitAsync(TimeSpan.FromSeconds(20));
        await PostAsync("api/v1/setup", new JsonObject { ["code"] = code, ["name"] = "admin", ["password"] = "four words for benches" });
        await PostAsync("api/v1/session", new JsonObject { ["name"] = "admin", ["password"] = "four words for benches" });
        var token = await PostAsync("api/v1/tokens", new JsonObject { ["name"] = "bench", ["scopes"] = new JsonArray("admin", "operate", "read") });
        _api.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", (string?)token!["secret"]);
    }

    public Task AddHostsAsync(IReadOnlyList<string> macs) => Parallel.ForEachAsync(macs, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (mac, _) =>
        await PostAsync("api/v1/hosts", new JsonObject { ["name"] = $"bench-{mac}", ["macs"] = new JsonArray(mac) }));

    public Task OrderInventoryAsync(IReadOnlyList<string> macs) =>
        PostAsync("api/v1/jobs", new JsonObject { ["kind"] = "inventory", ["hosts"] = new JsonArray([.. macs.Select(m => JsonValue.Create(m))]) });

    /// <summary>Discovery is written in the background.</summary>
    public async Task WaitForHostsAsync(int count)
    {
        long known = 0;
        for (var i = 0; i < 100; i++)
        {
            var page = await _api.GetFromJsonAsync<JsonNode>("api/v1/hosts?limit=1");
            known = (long)page!["total"]!;
            if (known >= count)
                return;
            await Task.Delay(100);
        }
        throw new InvalidOperationException($"the server knows {known} hosts, {count} were expected");
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _api.Dispose();
    }

    private async Task<JsonNode?> PostAsync(string path, JsonNode body)
    {
        using var response = await _api.PostAsJsonAsync(path, body);
        var text = await response.Content.ReadAsStringAsync();
        return response.IsSuccessStatusCode
            ? text.Length == 0 ? null : JsonNode.Parse(text)
            : throw new InvalidOperationException($"POST {path}: {(int)response.StatusCode} {text}");
    }

    private static string Find()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (!File.Exists(Path.Combine(folder, "ImageForge.sln")))
                continue;
            var program = Path.Combine(folder, "build", "server", "ImageForge.Server.dll");
            return File.Exists(program) ? program : throw new InvalidOperationException($"{program} is missing; `./forge bench boot` publishes it first");
        }
        throw new InvalidOperationException($"no ImageForge.sln above {AppContext.BaseDirectory}");
    }
}
