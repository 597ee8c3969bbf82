using System.Diagnostics;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using ImageForge.Server.Access;
using ImageForge.Server.Boot;
using ImageForge.Server.Configuration;
using ImageForge.Server.Data;
using ImageForge.Server.Hosts;
using ImageForge.Server.Images;
using ImageForge.Server.Jobs;
using Microsoft.Extensions.DependencyInjection;

namespace ImageForge.Server.Tests;

/// <summary>The server as a process of its own, so that it can be killed as <c>kill -9</c> does. Keeps its port over restarts.</summary>
public sealed class ServerProcess : IServerUnderTest, IAsyncDisposable
{
    private readonly string[] _settings;
    private readonly ServiceProvider _stores;
    private readonly SocketsHttpHandler _handler = new() { AllowAutoRedirect = false, UseCookies = false };
    private readonly bool _ownFolder;
    private Process? _process;
    private Task<string> _errors = Task.FromResult("");
    private int _port;

    private ServerProcess(string dataFolder, bool ownFolder, string[] settings)
    {
        DataFolder = dataFolder;
        _ownFolder = ownFolder;
        _settings = settings;
        var services = new ServiceCollection();
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton(new ServerOptions { DataFolder = dataFolder });
        services.AddSingleton(new HostsOptions());
        services.AddSingleton(new BootOptions());
        services.AddSingleton<DataFolder>().AddSingleton<Database>();
        services.AddSingleton<HostStore>().AddSingleton<HostTaskStore>().AddSingleton<BootTokens>().AddSingleton<VersionHolds>().AddSingleton<ImageVersions>().AddSingleton<ApiTokenStore>();
        _stores = services.BuildServiceProvider();
        _handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, _, _) =>
            certificate is not null && certificate.GetRawCertData().AsSpan().SequenceEqual(X509Certificate2.CreateFromPem(File.ReadAllText(Path.Combine(dataFolder, "server.pem"))).RawData);
    }

    public string DataFolder { get; }

    public string StoreFolder => Path.Combine(DataFolder, "store");

    /// <param name="dataFolder">Null: a folder of its own, removed in the end.</param>
    /// <param name="settings">As for <see cref="TestServer"/>: <c>Store:ReserveBytes=0</c>.</param>
    public static async Task<ServerProcess> StartAsync(string? dataFolder = null, params string[] settings)
    {
        var server = new ServerProcess(dataFolder ?? Directory.CreateTempSubdirectory("imageforge-process-").FullName, dataFolder is null, settings);
        await server.RunAsync();
        return server;
    }

    public T Get<T>() where T : notnull => _stores.GetRequiredService<T>();

    public HttpClient Anonymous() => Client(null);

    public HttpClient WithToken(string token) => Client(token);

    /// <summary>For a failed assertion: whether the server still runs, and what it said if it does not.</summary>
    public async Task<string> ConditionAsync()
    {
        await Task.Delay(500);
        return _process is { HasExited: true } ? $"the server ended with code {_process.ExitCode}: {await _errors}" : "the server runs";
    }

    /// <summary>SIGKILL: no handler runs, no buffer is flushed.</summary>
    public async Task KillAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _process = null;
    }

    public async Task RunAsync()
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])
        [
            Path.Combine(AppContext.BaseDirectory, "ImageForge.Server.dll"), "--data-folder", DataFolder, "--listen", "127.0.0.1",
            "--http-port", "0", "--https-port", $"{_port}", "--Logging:LogLevel:Default", "Warning",
            .. _settings.SelectMany(s => new[] { $"--ImageForge:{s[..s.IndexOf('=', StringComparison.Ordinal)]}", s[(s.IndexOf('=', StringComparison.Ordinal) + 1)..] }),
        ])
            start.ArgumentList.Add(argument);
        _process = Process.Start(start)!;
        _errors = _process.StandardError.ReadToEndAsync();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (await _process.StandardOutput.ReadLineAsync(patience.Token) is { } line)
        {
            if (!line.StartsWith("ImageForge: https://", StringComparison.Ordinal))
                continue;
            _port = new Uri(line["ImageForge: ".Length..]).Port;
            // A pipe nobody reads would block the server.
            _ = _process.StandardOutput.ReadToEndAsync(CancellationToken.None);
            return;
        }
        throw new InvalidOperationException($"the server did not start: {await _errors}");
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
            await KillAsync();
        _handler.Dispose();
        await _stores.DisposeAsync();
        if (_ownFolder)
            Directory.Delete(DataFolder, recursive: true);
    }

    private HttpClient Client(string? token)
    {
        // One pool of connections for all; what differs is the header.
        var client = new HttpClient(_handler, disposeHandler: false) { BaseAddress = new Uri($"https://127.0.0.1:{_port}/"), Timeout = TimeSpan.FromSeconds(60) };
        if (token is not null)
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return client;
    }
}
