using System.Collections.Concurrent;
using System.Net;
using ImageForge.Contracts;
using ImageForge.Imaging.Capture;
using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Disks;
using ImageForge.Server.Images;
using ImageForge.Server.Jobs;

namespace ImageForge.Server.Tests.Agents;

/// <summary>The server as a real process, killed with SIGKILL at moments nobody chose.</summary>
public sealed class KilledServerTests
{
    private const int ChunkSize = 64 << 10;

    [Fact]
    public async Task A_capture_goes_on_over_three_kills_and_sends_again_only_what_was_under_way()
    {
        await using var server = await ServerProcess.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var task = await agent.OrderCaptureAsync("lab", ChunkSize);
        var (_, client) = await agent.CheckInAsync(task);
        const int seed = 51;
        var disk = ImagingCalls.DiskContent(seed, 64 << 20);
        var sink = new PatientSink(client);
        var random = new Random(seed);
        var capture = new CaptureEngine(MemoryDisk.Of(disk, readOnly: true), sink, new CaptureOptions(ChunkSize, SendsInFlight: 4)).RunAsync(default);
        for (var kill = 1; kill <= 3; kill++)
        {
            var after = kill * 110 + random.Next(20);
            while (sink.Stored.Count < after)
            {
                Assert.False(capture.IsCompleted, "the capture ended before the kills");
                await Task.Delay(1);
            }
            await server.KillAsync();
            await Task.Delay(random.Next(200));
            await server.RunAsync();
        }
        var result = await capture;
        Assert.Equal(512, sink.Stored.Count);
        // Stored twice: only an upload whose answer a kill swallowed.
        Assert.All(sink.Stored, s => Assert.Equal(1, s.Value));
        Assert.InRange(sink.AlreadyHeld, 0, 3 * 4);
        Assert.Empty(Directory.GetFiles(Path.Combine(server.StoreFolder, "incoming")));

        var reply = await client.SealAsync(result.ManifestBytes).ReadAsync(AgentJson.Default.SealReply);
        Assert.Equal(1, reply.VersionNumber);
        Assert.Equal(HttpStatusCode.NoContent, (await client.FinishAsync(HostTaskState.Succeeded)).StatusCode);

        var target = await ScriptedAgent.WithHostAsync(server, "pc-2");
        var version = (await server.Get<ImageVersions>().FindAsync("lab", 1, default))!;
        var (answer, deploy) = await target.CheckInAsync(await target.OrderAsync(JobKind.Deploy, new JobParameters(ImageName: "lab", ImageVersion: 1), version.Id));
        Assert.Equal(disk, await deploy.DeployAsync(answer.Task.Deploy!));
    }

    [Fact]
    public async Task After_a_kill_a_chunk_that_never_reached_the_disk_is_asked_for_again()
    {
        // kill -9 leaves the page cache; what a power cut does is done here by hand while the server is down.
        await using var server = await ServerProcess.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var (_, client) = await agent.CheckInAsync(await agent.OrderCaptureAsync("lab", ChunkSize));
        var (result, chunks) = await client.CaptureAsync(ImagingCalls.DiskContent(52), ChunkSize);
        await server.KillAsync();
        var files = Directory.GetFiles(Path.Combine(server.StoreFolder, "chunks"), "*", SearchOption.AllDirectories);
        await File.WriteAllBytesAsync(files[0], []);
        await File.WriteAllBytesAsync(files[1], new byte[new FileInfo(files[1]).Length]);
        await server.RunAsync();

        await (await client.SealAsync(result.ManifestBytes)).ShouldBeAsync(422, "chunksMissing");
        var (again, second) = await client.CaptureAsync(ImagingCalls.DiskContent(52), ChunkSize);
        Assert.Equal(files[..2].Select(Path.GetFileName).Order(), second.Sent.Select(id => id.ToString()).Order());
        Assert.Equal(1, (await client.SealAsync(again.ManifestBytes).ReadAsync(AgentJson.Default.SealReply)).VersionNumber);
        Assert.True(chunks.Sent.Count > 2);
    }

    [Fact]
    public async Task A_check_in_whose_answer_a_kill_swallowed_gets_the_same_bytes()
    {
        await using var server = await ServerProcess.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var request = agent.Request(await agent.BootAsync(await agent.OrderCaptureAsync("lab")));
        var first = await (await agent.SendCheckInAsync(request)).Content.ReadAsStringAsync();
        Assert.Contains("taskToken", first, StringComparison.Ordinal);
        await server.KillAsync();
        await server.RunAsync();
        Assert.Equal(first, await (await agent.SendCheckInAsync(request)).Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Kills_around_the_seal_leave_exactly_one_version()
    {
        await using var server = await ServerProcess.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var task = await agent.OrderCaptureAsync("lab", ChunkSize);
        var (_, client) = await agent.CheckInAsync(task);
        var (result, _) = await client.CaptureAsync(ImagingCalls.DiskContent(53), ChunkSize);
        const int seed = 54;
        var random = new Random(seed);
        for (var i = 0; i < 3; i++)
        {
            var sealing = client.SealAsync(result.ManifestBytes);
            await Task.Delay(random.Next(0, 40));
            await server.KillAsync();
            try
            {
                (await sealing).Dispose();
            }
            catch (HttpRequestException)
            {
                // The lost answer this test is about.
            }
            await server.RunAsync();
        }
        Assert.Equal(new SealReply("lab", 1, result.ManifestHash), await client.SealAsync(result.ManifestBytes).ReadAsync(AgentJson.Default.SealReply));
        Assert.Single((await server.Get<ImageVersions>().ListAsync("lab", default))!);
    }

    /// <summary>Repeats what a dead server did not answer, as the agent does.</summary>
    private sealed class PatientSink(HttpClient client) : IChunkSink
    {
        private int _alreadyHeld;

        /// <summary>How often the server said that it stored a chunk.</summary>
        public ConcurrentDictionary<ChunkId, int> Stored { get; } = new();

        public int AlreadyHeld => _alreadyHeld;

        public ValueTask<bool[]> MissingAsync(IReadOnlyList<ChunkId> ids, CancellationToken cancel) =>
            RepeatAsync(async () => await new HttpChunks(client).MissingAsync(ids, cancel), cancel);

        public async ValueTask StoreAsync(ChunkId id, int plainLength, ReadOnlyMemory<byte> frame, CancellationToken cancel)
        {
            var bytes = frame.ToArray();
            var status = await RepeatAsync(async () =>
            {
                using var response = await client.PutChunkAsync(id.ToString(), plainLength, bytes);
                Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync(cancel));
                return response.StatusCode;
            }, cancel);
            if (status == HttpStatusCode.OK)
                Interlocked.Increment(ref _alreadyHeld);
            Stored.AddOrUpdate(id, 1, (_, n) => n + 1);
        }

        private static async ValueTask<T> RepeatAsync<T>(Func<Task<T>> call, CancellationToken cancel)
        {
            for (var attempt = 0; ; attempt++)
            {
                try
                {
                    return await call();
                }
                catch (Exception e) when (e is HttpRequestException or IOException && attempt < 600)
                {
                    await Task.Delay(50, cancel);
                }
            }
        }
    }
}
