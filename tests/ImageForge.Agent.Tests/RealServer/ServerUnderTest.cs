using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace ImageForge.Agent.Tests.RealServer;

/// <summary>The ImageForge server as its own process on loopback: it can be killed by SIGKILL and started again on its data.</summary>
public sealed class ServerUnderTest : IAsyncLifetime, IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly HttpClient _http;
    private readonly int _httpPort = FreePort();
    private readonly int _httpsPort = FreePort();
    private Process? _process;
    private string? _setUpCode;

    public ServerUnderTest()
    {
        // The live image is not started here, but without one no machine is told to.
        Directory.CreateDirectory(_folder.File("live"));
        File.WriteAllText(_folder.File("live/vmlinuz"), "kernel");
        File.WriteAllText(_folder.File("live/initrd.img"), "initrd");
        _http = new HttpClient(new SocketsHttpHandler
        {
            SslOptions = { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null },
        })
        { BaseAddress = new Uri($"https://127.0.0.1:{_httpsPort}/api/v1/") };
    }

    /// <summary>Chunks in the store's folder, counted there because the API tells only what the last heartbeat said.</summary>
    public int StoredChunks()
    {
        var chunks = _folder.File("data/store/chunks");
        return Directory.Exists(chunks) ? Directory.EnumerateFiles(chunks, "*", SearchOption.AllDirectories).Count() : 0;
    }

    public async Task StartAsync()
    {
        var program = Path.Combine(Repository(), "src/ImageForge.Server/bin", Configuration(), "net10.0/ImageForge.Server.dll");
        _process = Process.Start(new ProcessStartInfo("dotnet",
            [
                program, "--data-folder", _folder.File("data"), "--listen", "127.0.0.1", "--http-port", $"{_httpPort}", "--https-port", $"{_httpsPort}",
                "--live-image", _folder.File("live"), "--ImageForge:Boot:TrustedSubnets:0", "127.0.0.0/8", "--ImageForge:Boot:AgentHeardSeconds", "1",
            ])
        { RedirectStandardOutput = true })!;
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (Regex.Match(line, "Set-up: .*#(.+)$") is { Success: true } found)
                _setUpCode = found.Groups[1].Value;
            if (line.StartsWith("ImageForge: https", StringComparison.Ordinal) && _http.DefaultRequestHeaders.Authorization is not null || _setUpCode is not null)
                break;
        }
        Assert.False(_process.HasExited, "the server did not start");
        _ = _process.StandardOutput.ReadToEndAsync();
        if (_http.DefaultRequestHeaders.Authorization is null)
            await SetUpAsync();
    }

    public async Task KillAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync();
    }

    public async Task AddHostAsync(string name, string mac)
    {
        await SendAsync(HttpMethod.Post, "hosts", new { name, macs = new[] { mac } });
        await SendAsync(HttpMethod.Post, $"hosts/{mac}/approve", null);
    }

    /// <returns>The job's id.</returns>
    public async Task<long> OrderAsync(object job) =>
        (await SendAsync(HttpMethod.Post, "jobs", job)).GetProperty("job").GetProperty("id").GetInt64();

    /// <summary>Multicast on loopback, as fast as is good for the test; a busy machine may keep its sender from the processor for seconds.</summary>
    public Task MulticastAsync(double megabitsPerSecond) => SendAsync(HttpMethod.Put, "multicast/settings", new { @interface = "lo", megabitsPerSecond, patienceSeconds = 60 });

    /// <summary>A session with its machines, as the API shows them.</summary>
    public async Task<JsonElement> SessionAsync(long id) => await SendAsync(HttpMethod.Get, $"sessions/{id}", null);

    public async Task<long> NewestSessionAsync() => (await SendAsync(HttpMethod.Get, "sessions", null)).GetProperty("items")[0].GetProperty("id").GetInt64();

    public Task CancelAsync(long job) => SendAsync(HttpMethod.Post, $"jobs/{job}/cancel", null);

    /// <summary>The only task of a job, as the API shows it.</summary>
    public async Task<JsonElement> TaskAsync(long job) => (await SendAsync(HttpMethod.Get, $"jobs/{job}", null)).GetProperty("tasks")[0];

    /// <summary>The kernel command line that the boot script of a machine makes.</summary>
    public async Task<string> CommandLineAsync(string mac)
    {
        using var plain = new HttpClient();
        for (var i = 0; ; i++)
        {
            var script = await plain.GetStringAsync(new Uri($"http://127.0.0.1:{_httpPort}/boot/{mac}"));
            var set = Regex.Matches(script, @"^set (\S+) (.*)$", RegexOptions.Multiline).ToDictionary(m => m.Groups[1].Value, m => m.Groups[2].Value.Trim());
            if (set.TryGetValue("token", out var token))
                return $"imageforge.server={set["agent-server"]} imageforge.pin={set["pin"]} imageforge.token={token} imageforge.patience=60 BOOTIF=01-{set["mac-hyphens"]}";
            // While the task's earlier agent was heard a moment ago the script says wait.
            Assert.True(i < 60, script);
            await Task.Delay(500);
        }
    }

    public Task InitializeAsync() => StartAsync();

    public async Task DisposeAsync()
    {
        if (_process is { HasExited: false })
            await KillAsync();
    }

    public void Dispose()
    {
        _process?.Dispose();
        _http.Dispose();
        _folder.Dispose();
    }

    private async Task SetUpAsync()
    {
        using var answer = await _http.PostAsJsonAsync("setup", new { code = _setUpCode, name = "admin", password = "correct horse battery" });
        answer.EnsureSuccessStatusCode();
        using var request = new HttpRequestMessage(HttpMethod.Post, "tokens") { Content = JsonContent.Create(new { name = "test", scopes = new[] { "read", "operate", "admin" } }) };
        request.Headers.Add("Origin", $"https://127.0.0.1:{_httpsPort}");
        using var token = await _http.SendAsync(request);
        token.EnsureSuccessStatusCode();
        var secret = (await token.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("secret").GetString();
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", secret);
    }

    private async Task<JsonElement> SendAsync(HttpMethod method, string path, object? body)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) };
        using var answer = await _http.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, $"{method} {path}: {text}");
        return JsonSerializer.Deserialize<JsonElement>(text);
    }

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    private static string Repository()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "ImageForge.sln")))
            folder = Path.GetDirectoryName(folder) ?? throw new DirectoryNotFoundException("ImageForge.sln is in no folder above the tests");
        return folder;
    }

    private static string Configuration() => new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
}
