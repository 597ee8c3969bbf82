using System.Net;
using System.Security.Cryptography;
using Dapper;
using ImageForge.Contracts;
using ImageForge.Server.Data;
using ImageForge.Server.Hosts;
using ImageForge.Server.Jobs;

namespace ImageForge.Server.Tests.Jobs;

/// <summary>A server with approved hosts lab-1… (MAC 52:54:00:00:00:01…) and image "debian-12" in two versions.</summary>
internal sealed class JobScene(TestServer server, HttpClient client) : IAsyncDisposable
{
    public TestServer Server => server;

    public HttpClient Client => client;

    public HostTaskStore Tasks => server.Get<HostTaskStore>();

    public static async Task<JobScene> StartAsync(int hosts = 3, params string[] settings)
    {
        var server = await TestServer.StartAsync(settings);
        for (var i = 1; i <= hosts; i++)
            await server.Get<HostStore>().CreateAsync($"lab-{i}", [MacAddress.Parse(Mac(i))], null, CancellationToken.None);
        await server.Get<Database>().WriteAsync((connection, transaction) => connection.ExecuteAsync(
            """
            INSERT INTO images (id, name, created_at) VALUES (1, 'debian-12', 0), (2, 'empty', 0);
            INSERT INTO image_versions (id, image_id, number, manifest_hash, signature, sealed_at, disk_bytes, used_bytes, chunk_count, stored_bytes)
            VALUES (11, 1, 1, 'aa', x'00', 0, 1, 1, 1, 1), (12, 1, 2, 'bb', x'00', 0, 1, 1, 1, 1);
            """, transaction: transaction), CancellationToken.None);
        return new JobScene(server, await server.AdminAsync());
    }

    public static string Mac(int host) => $"52:54:00:00:00:{host:x2}";

    /// <summary>Orders a deploy for one host; returns job and task id.</summary>
    public async Task<(long Job, long Task)> OrderAsync(int host = 1)
    {
        var made = await client.PostAsync("api/v1/jobs", new { kind = "deploy", hosts = new[] { Mac(host) }, image = "debian-12" }, HttpStatusCode.Created);
        return (made.GetProperty("job").GetProperty("id").GetInt64(), made.GetProperty("tasks")[0].GetProperty("id").GetInt64());
    }

    public Task<CheckInOutcome> CheckInAsync(long task, bool resumed = false) =>
        Tasks.CheckInAsync(task, SHA256.HashData(RandomNumberGenerator.GetBytes(32)), "uuid", "serial", "disk-1", resumed, null, CancellationToken.None);

    public Task<bool> ProgressAsync(long task, HostTaskState state, long done, long total = 1000) =>
        Tasks.RecordProgressAsync(task, new ProgressReport(state, done, total, done / 2, 100, "volume 1"), CancellationToken.None);

    public async Task<HostTask> FindAsync(long task) => (await Tasks.FindAsync(task, CancellationToken.None))!;

    public ValueTask DisposeAsync() => server.DisposeAsync();
}
