using System.Net;
using ImageForge.Contracts;
using ImageForge.Server.Images;
using ImageForge.Server.ImageStore;
using ImageForge.Server.StoreCare;
using ImageForge.Server.Tests.Agents;
using ImageForge.Server.Tests.ImageStore;
using Xunit.Abstractions;

namespace ImageForge.Server.Tests.StoreCare;

/// <summary>Sweeps without any grace, one after the other, while many captures share chunks with each other and with versions that are deleted all the time.</summary>
public sealed class SweepRaceTests(ITestOutputHelper output)
{
    private const int Machines = 6;
    private const int Blocks = 12;
    private const int BlockSize = 64 << 10;

    /// <summary>Many and fast: what the capture's endpoints do, in their order, without the network between.</summary>
    [Fact]
    public async Task Every_version_sealed_while_sweeps_run_in_a_loop_is_complete()
    {
        await using var server = await TestServer.StartAsync("Store:Grace=00:00:00", "Store:SweepHour=-1");
        const int seed = 20260301, rounds = 12;
        var pool = TestChunk.Several(seed, 96, BlockSize);
        using var stop = new CancellationTokenSource();
        var sweeping = SweepAsync(server, stop.Token);
        var again = 0;
        await Parallel.ForEachAsync(Enumerable.Range(0, Machines), new ParallelOptions { MaxDegreeOfParallelism = Machines }, async (machine, _) =>
        {
            var agent = await ScriptedAgent.WithHostAsync(server, $"pc-{machine}");
            var random = new Random(seed + machine);
            var image = $"lab-{machine % 3}";
            for (var round = 0; round < rounds; round++)
            {
                var disk = Disk(pool, random);
                var capture = await DirectCapture.BeginAsync(server, agent, image);
                while (await capture.RunAsync(disk) is null)
                    Interlocked.Increment(ref again);
                // Before anybody may delete it: at this moment a sweep is under way, and every chunk must be there.
                await AssertCompleteAsync(server, capture.ManifestHash, seed);
                await capture.EndAsync();
                await server.Get<ImageVersions>().SetRetentionAsync(image, 1, default);
            }
        });
        await stop.CancelAsync();
        var (sweeps, removed) = await sweeping;
        output.WriteLine($"{Machines * rounds} versions, {again} captures asked again, {sweeps} sweeps, {removed} chunks removed");
        Assert.True(sweeps > 10 && removed > 50, $"{sweeps} sweeps removed {removed} chunks: nothing was put to the test");
        // A capture's own leases keep what it counts on: being told otherwise costs it a second reading of the disk.
        Assert.Equal(0, again);
        var left = await server.Get<ImageVersions>().ListManifestsAsync(default);
        Assert.InRange(left.Count, 3, Machines + 3);
        foreach (var version in left)
            await AssertCompleteAsync(server, version.ManifestHash, seed);
    }

    /// <summary>Fewer, over the real protocol.</summary>
    [Fact]
    public async Task Captures_over_https_are_complete_while_sweeps_run_in_a_loop()
    {
        await using var server = await TestServer.StartAsync("Store:Grace=00:00:00", "Store:SweepHour=-1");
        const int seed = 20260302;
        var pool = TestChunk.Several(seed, 96, BlockSize);
        using var stop = new CancellationTokenSource();
        var sweeping = SweepAsync(server, stop.Token);
        await Parallel.ForEachAsync(Enumerable.Range(0, 2), async (machine, _) =>
        {
            var agent = await ScriptedAgent.WithHostAsync(server, $"pc-{machine}");
            var random = new Random(seed + machine);
            for (var round = 0; round < 2; round++)
            {
                var (_, client) = await agent.CheckInAsync(await agent.OrderCaptureAsync("lab"));
                var (result, _) = await client.CaptureAsync(Disk(pool, random));
                var reply = await client.SealAsync(result.ManifestBytes).ReadAsync(AgentJson.Default.SealReply);
                await AssertCompleteAsync(server, reply.ManifestHash, seed);
                Assert.Equal(HttpStatusCode.NoContent, (await client.FinishAsync(HostTaskState.Succeeded)).StatusCode);
                await server.Get<ImageVersions>().SetRetentionAsync("lab", 1, default);
            }
        });
        await stop.CancelAsync();
        var (sweeps, removed) = await sweeping;
        Assert.True(sweeps > 2, $"{sweeps} sweeps, {removed} chunks removed");
        foreach (var version in await server.Get<ImageVersions>().ListManifestsAsync(default))
            await AssertCompleteAsync(server, version.ManifestHash, seed);
    }

    [Fact]
    public async Task What_a_question_was_answered_held_stays_until_the_seal()
    {
        // The window between answer and seal, made as wide as it gets: nothing is sent, everything was there before, and its only owner is deleted.
        await using var server = await TestServer.StartAsync("Store:Grace=00:00:00", "Store:SweepHour=-1");
        var client = await server.AdminAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var other = await ScriptedAgent.WithHostAsync(server, "pc-2");
        var disk = ImagingCalls.DiskContent(5);
        await agent.CaptureWholeAsync("old", disk);
        var (_, capture) = await other.CheckInAsync(await other.OrderCaptureAsync("new"));
        var (result, chunks) = await capture.CaptureAsync(disk);
        Assert.Empty(chunks.Sent);
        await (await client.DeleteAsync("api/v1/images/old")).JsonAsync(HttpStatusCode.NoContent);
        Assert.Equal((0, 32), await SweepOnceAsync(server));
        var reply = await capture.SealAsync(result.ManifestBytes).ReadAsync(AgentJson.Default.SealReply);
        Assert.Equal((0, 0), await SweepOnceAsync(server));
        await AssertCompleteAsync(server, reply.ManifestHash, 5);
    }

    [Fact]
    public async Task A_chunk_stored_again_while_it_is_condemned_is_not_removed()
    {
        using var store = new TestStore();
        var chunks = TestChunk.Several(6, 200, 4096);
        foreach (var chunk in chunks)
            store.Chunks.Put(chunk.Id, chunk.Plain.Length, chunk.Frame);
        store.Chunks.Condemn(chunks.Select(static c => c.Id));
        Assert.All(store.Chunks.Missing([.. chunks.Select(static c => c.Id)]), Assert.True);
        var again = chunks.Where((_, i) => i % 2 == 0).ToArray();
        var storing = Parallel.ForEachAsync(again, (chunk, _) =>
        {
            Assert.Equal(ChunkPut.Stored, store.Chunks.Put(chunk.Id, chunk.Plain.Length, chunk.Frame));
            return ValueTask.CompletedTask;
        });
        await storing;
        var removed = chunks.Count(c => store.Chunks.RemoveCondemned(c.Id) is not null);
        Assert.Equal(100, removed);
        Assert.All(again, c => Assert.Equal(ChunkVerdict.Good, store.Chunks.Verify(c.Id)));
        Assert.All(again, c => Assert.True(store.Chunks.Holds(c.Id)));
    }

    private static async Task<(long Removed, long CountedOn)> SweepOnceAsync(TestServer server)
    {
        var progress = await server.Get<StoreSweep>().RunAsync(new SweepRequest(), static _ => { }, default);
        return (progress.ChunksRemoved, progress.ChunksCountedOn);
    }

    private static async Task<(int Sweeps, long Removed)> SweepAsync(TestServer server, CancellationToken stop)
    {
        var (sweeps, removed) = (0, 0L);
        await Task.Yield();
        while (!stop.IsCancellationRequested)
        {
            removed += (await SweepOnceAsync(server)).Removed;
            sweeps++;
        }
        return (sweeps, removed);
    }

    private static async Task AssertCompleteAsync(TestServer server, string manifestHash, int seed)
    {
        var chunks = await server.Get<VersionChunks>().OfAsync(manifestHash, default);
        Assert.True(chunks is not null, $"seed {seed}: the manifest {manifestHash} is gone");
        foreach (var id in chunks.Ids)
            Assert.True(server.Get<ChunkStore>().Verify(id) == ChunkVerdict.Good, $"seed {seed}: chunk {id} of a sealed version is {server.Get<ChunkStore>().Verify(id)}");
    }

    private static byte[] Disk(TestChunk[] pool, Random random) => [.. pool.OrderBy(_ => random.Next()).Take(Blocks).SelectMany(static c => c.Plain)];
}
