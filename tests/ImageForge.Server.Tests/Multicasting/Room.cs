using System.Net;
using System.Net.Http.Json;
using Dapper;
using ImageForge.Contracts;
using ImageForge.Imaging.Manifests;
using ImageForge.Multicast.Frames;
using ImageForge.Server.Data;
using ImageForge.Server.Images;
using ImageForge.Server.Jobs;
using ImageForge.Server.Tests.Agents;

namespace ImageForge.Server.Tests.Multicasting;

/// <summary>A server with one image, "lab", and the machines that are to get it.</summary>
internal sealed class Room(IServerUnderTest server, byte[] disk, ImageVersion version, ChunkNumbers numbers)
{
    private static int s_servers;

    private int _machines;

    public IServerUnderTest Server => server;

    /// <summary>What a machine's disk holds in the end.</summary>
    public byte[] Disk => disk;

    public ImageVersion Version => version;

    public ChunkNumbers Numbers => numbers;

    public SessionContent Content { get; } = new(numbers.PlainLengths);

    /// <summary>Captures an image of a disk of random content.</summary>
    public static async Task<Room> FurnishAsync(IServerUnderTest server, int seed, long diskBytes = ScriptedAgent.DiskBytes, string image = "lab")
    {
        var disk = ImagingCalls.DiskContent(seed, diskBytes);
        var source = await ScriptedAgent.WithHostAsync(server, $"source of {image}");
        var (_, capture) = await source.CheckInAsync(await source.OrderCaptureAsync(image));
        var (result, _) = await capture.CaptureAsync(disk);
        await capture.SealAsync(result.ManifestBytes).ReadAsync(AgentJson.Default.SealReply);
        await capture.FinishAsync(HostTaskState.Succeeded);
        Assert.True(ImageDisks.TryParse(result.ManifestBytes, out var disks, out _));
        return new Room(server, disk, (await server.Get<ImageVersions>().FindAsync(image, 1, default))!, new ChunkNumbers(disks));
    }

    /// <summary>Sessions send on the loopback interface, to groups that no other test's server has.</summary>
    public static async Task<HttpClient> OnLoopbackAsync(TestServer server, double? megabits = null)
    {
        var admin = await server.AdminAsync();
        await (await admin.PutAsJsonAsync("api/v1/multicast/settings", new { @interface = "lo", groups = $"239.255.{100 + Interlocked.Increment(ref s_servers)}.0/24", megabitsPerSecond = megabits })).JsonAsync(HttpStatusCode.OK);
        return admin;
    }

    /// <summary>Writes one deploy job for so many new machines, as the job desk does.</summary>
    public async Task<IReadOnlyList<Machine>> OrderAsync(int machines, MulticastChoice? multicast)
    {
        var agents = new List<ScriptedAgent>();
        for (var i = 0; i < machines; i++)
        {
            var number = ++_machines;
            var agent = await ScriptedAgent.WithHostAsync(server, $"{version.ImageName}-pc-{number}");
            agent.Inventory = agent.Inventory with { Uuid = $"9c1d2d3c-4b5a-4968-8776-7554433{number:d5}", Serial = $"SN-{number}" };
            agents.Add(agent);
        }
        var json = new JobParameters(ImageName: version.ImageName, ImageVersion: version.Number, Multicast: multicast).ToJson();
        return await server.Get<Database>().WriteAsync<IReadOnlyList<Machine>>(async (connection, transaction) =>
        {
            var now = TimeProvider.System.NowMilliseconds();
            var job = await connection.ExecuteScalarAsync<long>(
                "INSERT INTO jobs (kind, image_version_id, parameters, created_at, created_by) VALUES ('deploy', @Id, @json, @now, 'test') RETURNING id",
                new { version.Id, json, now }, transaction);
            var made = new List<Machine>();
            foreach (var agent in agents)
                made.Add(new Machine(this, agent, job, await connection.ExecuteScalarAsync<long>(
                    "INSERT INTO host_tasks (job_id, host_id, state, created_at) VALUES (@job, @Id, 'queued', @now) RETURNING id", new { job, agent.Host.Id, now }, transaction)));
            return made;
        }, default);
    }
}
