using System.Buffers.Text;
using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using Dapper;
using ImageForge.Contracts;
using ImageForge.Server.Boot;
using ImageForge.Server.Data;
using ImageForge.Server.Hosts;
using ImageForge.Server.Jobs;

namespace ImageForge.Server.Tests.Agents;

/// <summary>One machine of a test: its host record, its orders, and what its agent says, over real HTTPS.</summary>
internal sealed class ScriptedAgent(IServerUnderTest server, Host host)
{
    public const long DiskBytes = 4 << 20;

    public Host Host { get; } = host;

    public MacAddress Mac => Host.Macs[0];

    public Inventory Inventory { get; set; } = InventoryOf(Disk());

    /// <summary>An approved host of its own.</summary>
    public static async Task<ScriptedAgent> WithHostAsync(IServerUnderTest server, string name)
    {
        var bytes = RandomNumberGenerator.GetBytes(6);
        bytes[0] = 0x52;
        var (_, host) = await server.Get<HostStore>().CreateAsync(name, [new MacAddress(bytes)], null, default);
        return new ScriptedAgent(server, host!);
    }

    public static DiskInventory Disk(string name = "vda", string? serial = "DISK-1", bool removable = false, long size = DiskBytes) =>
        new(name, "TestDisk", serial, null, size, 512, 512, false, removable, false, "virtio", false);

    public static Inventory InventoryOf(params DiskInventory[] disks) => new(
        FirmwarePlatform.Uefi, "x86_64", "6f1e2d3c-4b5a-4968-8776-655443322110", "SN-0042", null, "QEMU", "Standard PC", "1.0",
        new CpuInventory("Test CPU", 1, 2, 2), 1 << 30, disks, [new NicInventory("eth0", "52:54:00:12:34:56", "virtio_net", null, true, true)]);

    public static string Nonce() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));

    /// <summary>Writes the order as the job desk does; what the desk checks is tested there.</summary>
    public async Task<long> OrderAsync(JobKind kind, JobParameters parameters, long? versionId = null)
    {
        return await server.Get<Database>().WriteAsync(async (connection, transaction) =>
        {
            var job = await connection.ExecuteScalarAsync<long>(
                "INSERT INTO jobs (kind, image_version_id, parameters, created_at, created_by) VALUES (@kind, @versionId, @json, 0, 'test') RETURNING id",
                new { kind = StoredName.Of(kind), versionId, json = parameters.ToJson() }, transaction);
            return await connection.ExecuteScalarAsync<long>(
                "INSERT INTO host_tasks (job_id, host_id, state, created_at) VALUES (@job, @Id, 'queued', 0) RETURNING id", new { job, Host.Id }, transaction);
        }, default);
    }

    public Task<long> OrderCaptureAsync(string image, int chunkSize = 64 << 10) =>
        OrderAsync(JobKind.Capture, new JobParameters(ChunkSize: chunkSize, ImageName: image));

    public Task<string> BootAsync(long taskId) => server.Get<BootTokens>().MintAsync(taskId, Mac, default);

    public CheckInRequest Request(string bootToken, string? nonce = null) => new(bootToken, nonce ?? Nonce(), Mac.ToString(), Inventory, "test");

    public Task<HttpResponseMessage> SendCheckInAsync(CheckInRequest request) =>
        server.Anonymous().PostAsync("agent/v1/check-in", JsonContent.Create(request, AgentJson.Default.CheckInRequest));

    /// <summary>Boots and checks in; fails the test when that is refused.</summary>
    public async Task<(CheckInResponse Answer, HttpClient Client)> CheckInAsync(long taskId)
    {
        using var response = await SendCheckInAsync(Request(await BootAsync(taskId)));
        Assert.True(response.StatusCode == HttpStatusCode.OK, await response.Content.ReadAsStringAsync());
        var answer = (await response.Content.ReadFromJsonAsync(AgentJson.Default.CheckInResponse))!;
        return (answer, server.WithToken(answer.TaskToken));
    }

    public async Task<HostTask> TaskAsync(long taskId) => (await server.Get<HostTaskStore>().FindAsync(taskId, default))!;
}

internal static class AgentCalls
{
    public static Task<HttpResponseMessage> ReportAsync(this HttpClient agent, HostTaskState state, long done = 0, long total = 100) =>
        agent.PostAsync("agent/v1/task/progress", JsonContent.Create(new ProgressReport(state, done, total, done, 1, "test"), AgentJson.Default.ProgressReport));

    public static Task<HttpResponseMessage> FinishAsync(this HttpClient agent, HostTaskState state, Failure? failure = null) =>
        agent.PostAsync("agent/v1/task/result", JsonContent.Create(new TaskResult(state, failure, "done", 1, 2, 3, 4), AgentJson.Default.TaskResult));

    /// <summary>Fails unless the answer is a problem with exactly this status and code, a sentence and a cure.</summary>
    public static async Task<Problem> ShouldBeAsync(this HttpResponseMessage response, int status, string code)
    {
        var text = await response.Content.ReadAsStringAsync();
        Assert.True((int)response.StatusCode == status, $"{(int)response.StatusCode} {text}");
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        var problem = System.Text.Json.JsonSerializer.Deserialize(text, AgentJson.Default.Problem)!;
        Assert.Equal(code, problem.Code);
        Assert.False(string.IsNullOrWhiteSpace(problem.Detail));
        Assert.False(string.IsNullOrWhiteSpace(problem.Hint));
        return problem;
    }

    public static async Task<T> ReadAsync<T>(this Task<HttpResponseMessage> sending, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
    {
        using var response = await sending;
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, $"{(int)response.StatusCode} {text}");
        return System.Text.Json.JsonSerializer.Deserialize(text, type)!;
    }
}
