using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using ImageForge.Contracts;

namespace ImageForge.Agent.Server;

/// <summary>The calls of the agent protocol (head of AgentProtocol.cs), one method each. Chunks are in <see cref="HttpChunkSource"/> and <see cref="HttpChunkSink"/>.</summary>
internal sealed class AgentServer(ServerConnection connection, Traffic traffic)
{
    private const int LargestAnswer = 1 << 20;
    private const int LargestManifest = 512 << 20;
    private const int LargestLog = 64 << 10;

    private static readonly TimeSpan s_short = TimeSpan.FromSeconds(15);

    /// <summary>Sealing makes every chunk durable first (one syncfs), which takes minutes on a slow disk.</summary>
    private static readonly TimeSpan s_sealing = TimeSpan.FromMinutes(10);

    public async Task<CheckInResponse> CheckInAsync(CheckInRequest request, TimeSpan patience, CancellationToken cancel)
    {
        var response = await PostAsync("check-in", request, AgentJson.Default.CheckInRequest, AgentJson.Default.CheckInResponse, cancel, patience);
        connection.TaskToken = response.TaskToken;
        return response;
    }

    /// <summary>Goes on under a token that an earlier process of this boot was given.</summary>
    public void Continue(string taskToken) => connection.TaskToken = taskToken;

    /// <summary>One attempt only: the next report replaces a lost one.</summary>
    public Task<ProgressReply> ReportOnceAsync(ProgressReport report, CancellationToken cancel) =>
        connection.SendOnceAsync(HttpMethod.Post, "task/progress",
            () => Json(report, AgentJson.Default.ProgressReport), Reading(AgentJson.Default.ProgressReply), s_short, cancel);

    public Task<PlanReply> ShowPlanAsync(DeployPlan plan, CancellationToken cancel) =>
        PostAsync("task/plan", plan, AgentJson.Default.DeployPlan, AgentJson.Default.PlanReply, cancel);

    /// <summary>Repeats the result until the server has it. A refusal means that the task has ended there already, which is as good.</summary>
    /// <returns>False when <paramref name="patience"/> ended first.</returns>
    public async Task<bool> FinishAsync(TaskResult result, TimeSpan patience, CancellationToken cancel)
    {
        try
        {
            await connection.SendAsync(HttpMethod.Post, "task/result", () => Json(result, AgentJson.Default.TaskResult), Nothing, s_short, cancel, patience);
            return true;
        }
        catch (FailureException e)
        {
            return e.InnerException is not ServerAwayException;
        }
    }

    /// <summary>Sends the end of a long text; one attempt, because a log must never keep a task from ending.</summary>
    public async Task LogOnceAsync(string text, CancellationToken cancel)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var kept = bytes.AsMemory(Math.Max(0, bytes.Length - LargestLog));
        try
        {
            await connection.SendOnceAsync(HttpMethod.Post, "task/log", () => new ReadOnlyMemoryContent(kept)
            {
                Headers = { ContentType = new MediaTypeHeaderValue("text/plain", "utf-8") },
            }, Nothing, s_short, cancel);
        }
        catch (Exception e) when (e is ServerAwayException or FailureException)
        {
        }
    }

    public async Task<SealReply> SealAsync(ReadOnlyMemory<byte> manifest, CancellationToken cancel)
    {
        var reply = await connection.SendAsync(HttpMethod.Post, "capture/manifest",
            () => Bytes(manifest), Reading(AgentJson.Default.SealReply), s_sealing, cancel);
        traffic.AddSent(manifest.Length);
        var own = Convert.ToHexStringLower(SHA256.HashData(manifest.Span));
        if (!string.Equals(reply.ManifestHash, own, StringComparison.OrdinalIgnoreCase))
            throw new FailureException("manifestChanged", Fault.Server,
                $"The server sealed a manifest {Short(reply.ManifestHash)}, sent was {Short(own)}.",
                "Do not use this version; capture again and look at the server's disk and memory.");
        return reply;
    }

    /// <summary>Fetches the manifest and refuses any other than the one the job names.</summary>
    public async Task<byte[]> ManifestAsync(string hash, CancellationToken cancel)
    {
        var bytes = await connection.SendAsync(HttpMethod.Get, "deploy/manifest", null,
            (response, c) => ServerConnection.ReadAllAsync(response, LargestManifest, c), s_sealing, cancel);
        traffic.AddReceived(bytes.Length);
        var own = Convert.ToHexStringLower(SHA256.HashData(bytes));
        if (own != hash)
            throw new FailureException("manifestMismatch", Fault.Image,
                $"The image's manifest has hash {Short(own)}, the job names {Short(hash)}.",
                "The image on the server is damaged or was exchanged: verify it there, or deploy another version.");
        return bytes;
    }

    private Task<TReply> PostAsync<TRequest, TReply>(
        string path, TRequest request, JsonTypeInfo<TRequest> requestType, JsonTypeInfo<TReply> replyType, CancellationToken cancel, TimeSpan? patience = null) =>
        connection.SendAsync(HttpMethod.Post, path, () => Json(request, requestType), Reading(replyType), s_short, cancel, patience);

    private static ReadOnlyMemoryContent Json<T>(T value, JsonTypeInfo<T> type) => new(JsonSerializer.SerializeToUtf8Bytes(value, type))
    {
        Headers = { ContentType = new MediaTypeHeaderValue("application/json") },
    };

    internal static ReadOnlyMemoryContent Bytes(ReadOnlyMemory<byte> bytes) => new(bytes)
    {
        Headers = { ContentType = new MediaTypeHeaderValue("application/octet-stream") },
    };

    private static ServerConnection.Reader<T> Reading<T>(JsonTypeInfo<T> type) => async (response, cancel) =>
        JsonSerializer.Deserialize(await ServerConnection.ReadAllAsync(response, LargestAnswer, cancel), type)
            ?? throw new JsonException("the server's answer is empty");

    internal static ValueTask<HttpStatusCode> Nothing(HttpResponseMessage response, CancellationToken cancel) => new(response.StatusCode);

    private static string Short(string hash) => hash.Length > 16 ? hash[..16] + "…" : hash;
}
