using System.Collections.Concurrent;
using System.Net;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using ImageForge.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace ImageForge.Agent.Tests.Server;

/// <summary>
/// The other end of the agent protocol: real Kestrel, real TLS on loopback, one scripted task. It can be killed and started again
/// at the same address under the same key, and any request can be intercepted.
/// </summary>
internal sealed class ScriptedServer : IAsyncDisposable
{
    private readonly X509Certificate2 _certificate;
    private WebApplication? _app;

    public ScriptedServer(TaskAssignment? task = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = TimeProvider.System.GetUtcNow();
        // Expired, and for another name: neither is what the agent goes by.
        using var made = new CertificateRequest("CN=nobody", key, HashAlgorithmName.SHA256).CreateSelfSigned(now.AddYears(-2), now.AddYears(-1));
        _certificate = X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
        Pin = Convert.ToHexStringLower(SHA256.HashData(_certificate.PublicKey.ExportSubjectPublicKeyInfo()));
        Task = task ?? new TaskAssignment(7, JobKind.Inventory, "pc-07", AfterTask.Reboot, null, null);
    }

    public int Port { get; private set; }
    public string Pin { get; }
    public TaskAssignment Task { get; set; }

    /// <summary>Sees every request first; true: it has been answered.</summary>
    public Func<HttpContext, Task<bool>>? Intercept { get; set; }

    /// <summary>Serves the WebSocket of GET deploy/multicast until it returns; null: there is no such thing.</summary>
    public Func<WebSocket, CancellationToken, Task>? Multicast { get; set; }

    public bool Cancelled { get; set; }
    public ConcurrentQueue<string> Requests { get; } = new();
    public ConcurrentQueue<CheckInRequest> CheckIns { get; } = new();
    public ConcurrentQueue<ProgressReport> Progress { get; } = new();
    public ConcurrentQueue<DeployPlan> Plans { get; } = new();
    public ConcurrentQueue<TaskResult> Results { get; } = new();
    public ConcurrentQueue<string> Logs { get; } = new();
    public ConcurrentDictionary<string, byte[]> Chunks { get; } = new();
    public byte[] Manifest { get; set; } = [];
    public PlanReply PlanReply { get; set; } = new(true, null);

    public string CommandLine(string? pin = null, int patience = 60) =>
        $"imageforge.server=https://127.0.0.1:{Port} imageforge.pin={pin ?? Pin} imageforge.token=boot-token imageforge.patience={patience} BOOTIF=01-52-54-00-12-34-56";

    public void ReservePort()
    {
        using var probe = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        Port = ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    public async Task StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Listen(IPAddress.Loopback, Port, listen => listen.UseHttps(_certificate));
        });
        _app = builder.Build();
        _app.UseWebSockets();
        _app.Run(AnswerAsync);
        await _app.StartAsync();
        Port = new Uri(_app.Urls.Single()).Port;
    }

    /// <summary>Stops at once: open requests and connections are cut, as by kill -9.</summary>
    public async Task KillAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _app!.StopAsync(now.Token);
        await _app.DisposeAsync();
        _app = null;
    }

    public async ValueTask DisposeAsync()
    {
        if (_app is not null)
            await KillAsync();
        _certificate.Dispose();
    }

    public static async Task ProblemAsync(HttpContext context, int status, string code, string detail, string hint, Fault fault = Fault.Server)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/problem+json";
        await context.Response.Body.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(new Problem(null, "title", status, detail, fault, hint, code), AgentJson.Default.Problem));
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var request = context.Request.Method + " " + context.Request.Path.Value!["/agent/v1/".Length..];
        Requests.Enqueue(request);
        try
        {
            if (Intercept is { } intercept && await intercept(context))
                return;
            if (request != "POST check-in" && context.Request.Headers.Authorization != "Bearer task-token")
            {
                await ProblemAsync(context, 401, "taskTokenUnknown", "The task token is not known.", "Start the machine again.");
                return;
            }
            await AnswerAsync(context, request);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // The agent went away, or this server is being killed.
        }
    }

    private async Task AnswerAsync(HttpContext context, string request)
    {
        switch (request)
        {
            case "POST check-in":
                CheckIns.Enqueue(await ReadAsync(context, AgentJson.Default.CheckInRequest));
                await WriteAsync(context, new CheckInResponse("task-token", Task, CheckIns.Count > 1), AgentJson.Default.CheckInResponse);
                break;
            case "POST task/progress":
                Progress.Enqueue(await ReadAsync(context, AgentJson.Default.ProgressReport));
                await WriteAsync(context, new ProgressReply(Cancelled), AgentJson.Default.ProgressReply);
                break;
            case "POST task/plan":
                Plans.Enqueue(await ReadAsync(context, AgentJson.Default.DeployPlan));
                await WriteAsync(context, PlanReply, AgentJson.Default.PlanReply);
                break;
            case "POST task/result":
                Results.Enqueue(await ReadAsync(context, AgentJson.Default.TaskResult));
                context.Response.StatusCode = 204;
                break;
            case "POST task/log":
                Logs.Enqueue(System.Text.Encoding.UTF8.GetString(await BodyAsync(context)));
                context.Response.StatusCode = 204;
                break;
            case "POST capture/chunks/missing":
            case "POST deploy/chunks/missing":
                var ids = await BodyAsync(context);
                var bitmap = new byte[(ids.Length / 32 + 7) / 8];
                for (var i = 0; i < ids.Length / 32; i++)
                {
                    if (!Chunks.ContainsKey(Convert.ToHexStringLower(ids.AsSpan(i * 32, 32))))
                        bitmap[i / 8] |= (byte)(1 << i % 8);
                }
                await context.Response.Body.WriteAsync(bitmap);
                break;
            case "POST capture/manifest":
                Manifest = await BodyAsync(context);
                await WriteAsync(context, new SealReply("debian", 3, Convert.ToHexStringLower(SHA256.HashData(Manifest))), AgentJson.Default.SealReply);
                break;
            case "GET deploy/multicast" when Multicast is { } serve:
                Assert.True(context.WebSockets.IsWebSocketRequest);
                using (var socket = await context.WebSockets.AcceptWebSocketAsync())
                    await serve(socket, context.RequestAborted);
                break;
            case "GET deploy/manifest":
                await context.Response.Body.WriteAsync(Manifest);
                break;
            case var put when put.StartsWith("PUT capture/chunks/", StringComparison.Ordinal):
                Assert.True(context.Request.Headers.ContainsKey("X-Plain-Length"));
                context.Response.StatusCode = Chunks.TryAdd(put[^64..], await BodyAsync(context)) ? 204 : 200;
                break;
            case var get when get.StartsWith("GET deploy/chunks/", StringComparison.Ordinal) && Chunks.TryGetValue(get[^64..], out var frame):
                context.Response.ContentLength = frame.Length;
                await context.Response.Body.WriteAsync(frame);
                break;
            default:
                await ProblemAsync(context, 404, "chunkMissing", "The server has no such thing.", "Verify the image.", Fault.Image);
                break;
        }
    }

    private static async Task<byte[]> BodyAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        return body.ToArray();
    }

    private static async Task<T> ReadAsync<T>(HttpContext context, JsonTypeInfo<T> type) =>
        JsonSerializer.Deserialize(await BodyAsync(context), type)!;

    private static async Task WriteAsync<T>(HttpContext context, T value, JsonTypeInfo<T> type)
    {
        context.Response.ContentType = "application/json";
        await context.Response.Body.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(value, type));
    }
}
