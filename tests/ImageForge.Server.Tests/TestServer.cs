using System.Net.Http.Headers;
using ImageForge.Server.Access;
using ImageForge.Server.Listening;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace ImageForge.Server.Tests;

/// <summary>
/// The real server: Kestrel on loopback ports the system chose, SQLite in a folder of its own, HTTP and HTTPS with the pin checked.
/// <code>await using var server = await TestServer.StartAsync();</code>
/// </summary>
public sealed class TestServer : IAsyncDisposable, IServerUnderTest
{
    private readonly string[] _settings;
    private readonly Action<WebApplicationBuilder>? _adjust;
    private readonly List<HttpClient> _clients = [];
    private WebApplication _app = null!;
    private string? _adminToken;

    private TestServer(string dataFolder, ManualClock clock, string[] settings, Action<WebApplicationBuilder>? adjust)
    {
        DataFolder = dataFolder;
        Clock = clock;
        _settings = settings;
        _adjust = adjust;
    }

    public string DataFolder { get; }

    /// <summary>Runs with the real time plus whatever the test adds.</summary>
    public ManualClock Clock { get; }

    public IServiceProvider Services => _app.Services;

    public WebApplication App => _app;

    public Uri HttpBase => new($"http://127.0.0.1:{Get<ServerAddresses>().HttpPort}/");

    public Uri HttpsBase => new($"https://127.0.0.1:{Get<ServerAddresses>().HttpsPort}/");

    /// <summary>Starts a server with the settings given as <c>Boot:TokenMinutes=1</c>, without the section's name.</summary>
    public static Task<TestServer> StartAsync(params string[] settings) => StartAsync(null, settings);

    /// <param name="adjust">Replaces services before the server is built.</param>
    public static async Task<TestServer> StartAsync(Action<WebApplicationBuilder>? adjust, params string[] settings)
    {
        var folder = Directory.CreateTempSubdirectory("imageforge-test-").FullName;
        var server = new TestServer(folder, new ManualClock(), settings, adjust);
        await server.RunAsync();
        return server;
    }

    public T Get<T>() where T : notnull => Services.GetRequiredService<T>();

    /// <summary>Over plain HTTP, as firmware and iPXE speak.</summary>
    public HttpClient Http() => Remember(new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = HttpBase });

    /// <summary>Over HTTPS without a login, checking the server's key as the agent does.</summary>
    public HttpClient Anonymous()
    {
        var pin = Get<ServerCertificate>().Pin;
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false };
        handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null &&
            Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(
                ((System.Security.Cryptography.X509Certificates.X509Certificate2)certificate).PublicKey.ExportSubjectPublicKeyInfo())) == pin;
        return Remember(new HttpClient(handler) { BaseAddress = HttpsBase });
    }

    /// <summary>Over HTTPS with a bearer token: an agent's, for example.</summary>
    public HttpClient WithToken(string token)
    {
        var client = Anonymous();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return client;
    }

    /// <summary>Over HTTPS with an API token of one scope.</summary>
    public async Task<HttpClient> WithScopeAsync(string scope)
    {
        var (_, secret) = await Get<ApiTokenStore>().CreateAsync($"test-{scope}", [scope], null, null, CancellationToken.None);
        return WithToken(secret);
    }

    /// <summary>Over HTTPS with everything allowed; survives <see cref="RestartAsync"/>.</summary>
    public async Task<HttpClient> AdminAsync()
    {
        _adminToken ??= (await Get<ApiTokenStore>().CreateAsync("test-admin", [Scopes.Admin], null, null, CancellationToken.None)).Secret;
        return WithToken(_adminToken);
    }

    /// <summary>Stops the server and starts it again on the same data; ports and clients are new.</summary>
    public async Task RestartAsync()
    {
        await StopAsync();
        await RunAsync();
    }

    /// <summary>Starts again after <see cref="StopAsync"/>.</summary>
    public Task RestartAfterStopAsync() => RunAsync();

    public async Task StopAsync()
    {
        foreach (var client in _clients)
            client.Dispose();
        _clients.Clear();
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Directory.Delete(DataFolder, recursive: true);
    }

    private async Task RunAsync()
    {
        string[] args =
        [
            $"--ImageForge:DataFolder={DataFolder}", "--ImageForge:ListenAddress=127.0.0.1",
            "--ImageForge:Http:Port=0", "--ImageForge:Https:Port=0",
            // Passwords of tests guard nothing; the price of guessing them is not what most tests are about.
            "--ImageForge:Access:PasswordIterations=20000",
            .. _settings.Select(s => $"--ImageForge:{s}"),
        ];
        _app = Program.Build(args, builder =>
        {
            builder.Logging.ClearProviders();
            builder.Services.Replace(ServiceDescriptor.Singleton<TimeProvider>(Clock));
            _adjust?.Invoke(builder);
        });
        await _app.StartAsync();
    }

    private HttpClient Remember(HttpClient client)
    {
        _clients.Add(client);
        return client;
    }
}
