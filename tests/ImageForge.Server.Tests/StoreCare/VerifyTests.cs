using System.Net;
using System.Text.Json;
using ImageForge.Contracts;
using ImageForge.Imaging.Chunks;
using ImageForge.Server.ImageStore;
using ImageForge.Server.StoreCare;
using ImageForge.Server.Tests.Agents;
using ImageForge.Server.Tests.ImageStore;

namespace ImageForge.Server.Tests.StoreCare;

public sealed class VerifyTests
{
    private static readonly string[] NoNight = ["Store:SweepHour=-1"];

    [Fact]
    public async Task Bad_and_missing_chunks_are_found_set_aside_and_every_version_they_hurt_is_named()
    {
        await using var server = await TestServer.StartAsync(NoNight);
        var (first, second) = await SweepTests.TwoVersionsAsync(server);
        var client = await server.AdminAsync();
        var folder = server.Get<StoreFolder>();
        var (shared, own, gone) = (first.Intersect(second).First(), first.Except(second).First(), second.Except(first).First());
        Rot(folder, shared);
        Rot(folder, own);
        File.Delete(folder.ChunkFile(gone));

        var run = await VerifyAsync(client);
        var progress = run.GetProperty("progress");
        Assert.Equal((2, 1), (progress.GetProperty("chunksBad").GetInt32(), progress.GetProperty("chunksMissing").GetInt32()));
        Assert.Equal(first.Union(second).Count() - 3, progress.GetProperty("chunksGood").GetInt32());
        Assert.True(progress.GetProperty("bytesRead").GetInt64() > 1 << 20);
        Assert.Equal([("lab", 1, 2), ("lab", 2, 2)], run.GetProperty("hurt").EnumerateArray()
            .Select(h => (h.Text("image"), h.GetProperty("version").GetInt32(), h.GetProperty("badChunks").GetInt32())));
        Assert.True(File.Exists(folder.QuarantineFile(shared)));
        Assert.False(File.Exists(folder.ChunkFile(shared)));
        Assert.Equal(2, (await client.GetAsync("api/v1/images/lab/versions/1", HttpStatusCode.OK)).GetProperty("version").GetProperty("badChunks").GetInt32());
        var events = (await client.GetAsync("api/v1/events", HttpStatusCode.OK)).GetProperty("items").EnumerateArray().ToList();
        Assert.Contains(events, e => e.Text("kind") == "storeVerified" && e.Text("text").Contains("lab version 1 (2 chunks), lab version 2 (2 chunks)", StringComparison.Ordinal));
        Assert.Equal(2, events.Where(e => e.Text("kind") == "chunkCorrupt").Select(e => e.Text("subject")).Distinct().Count());
    }

    [Fact]
    public async Task Any_later_capture_that_has_a_bad_chunk_makes_the_versions_whole_again()
    {
        await using var server = await TestServer.StartAsync(NoNight);
        var (first, second) = await SweepTests.TwoVersionsAsync(server);
        var client = await server.AdminAsync();
        var folder = server.Get<StoreFolder>();
        var (shared, own) = (first.Intersect(second).First(), first.Except(second).First());
        Rot(folder, shared);
        File.Delete(folder.ChunkFile(own));
        await VerifyAsync(client);

        // Another machine, another image; on its disk lies what version 2 has, so only the shared one comes back.
        var other = await ScriptedAgent.WithHostAsync(server, "pc-2");
        var disk = ImagingCalls.DiskContent(1);
        new Random(2).NextBytes(disk.AsSpan(0, disk.Length / 4));
        await other.CaptureWholeAsync("elsewhere", disk);
        Assert.Equal((1, 0), await BadChunksAsync(client));
        await other.CaptureWholeAsync("elsewhere", ImagingCalls.DiskContent(1));
        Assert.Equal((0, 0), await BadChunksAsync(client));
        Assert.Equal(ChunkVerdict.Good, server.Get<ChunkStore>().Verify(shared));
        var whole = (await client.GetAsync("api/v1/events", HttpStatusCode.OK)).GetProperty("items").EnumerateArray().Where(e => e.Text("kind") == "versionWhole").Select(e => e.Text("subject"));
        Assert.Equal(["lab version 1", "lab version 2"], whole.Order());
        Assert.Empty((await VerifyAsync(client)).GetProperty("hurt").EnumerateArray());
    }

    [Fact]
    public async Task A_bad_chunk_that_a_deploy_meets_hurts_every_version_that_has_it()
    {
        await using var server = await TestServer.StartAsync(NoNight);
        var (first, second) = await SweepTests.TwoVersionsAsync(server);
        var client = await server.AdminAsync();
        var shared = first.Intersect(second).First();
        Rot(server.Get<StoreFolder>(), shared);
        var version = (await server.Get<Server.Images.ImageVersions>().FindAsync("lab", 2, default))!;
        await server.Get<Server.Agents.CorruptChunks>().ReportedAsync(version, shared, default);
        Assert.Equal((1, 1), await BadChunksAsync(client));
    }

    [Fact]
    public async Task One_image_is_verified_alone_and_says_when()
    {
        await using var server = await TestServer.StartAsync(NoNight);
        await SweepTests.TwoVersionsAsync(server);
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-2");
        await agent.CaptureWholeAsync("other", ImagingCalls.DiskContent(9));
        var client = await server.AdminAsync();
        var run = await VerifyAsync(client, new { image = "other" });
        Assert.Equal(32, run.GetProperty("progress").GetProperty("chunksGood").GetInt32());
        Assert.NotEqual(JsonValueKind.Null, (await client.GetAsync("api/v1/images/other/versions/1", HttpStatusCode.OK)).GetProperty("version").GetProperty("verifiedAt").ValueKind);
        Assert.Equal(JsonValueKind.Null, (await client.GetAsync("api/v1/images/lab/versions/1", HttpStatusCode.OK)).GetProperty("version").GetProperty("verifiedAt").ValueKind);
        await client.PostAsync("api/v1/store/verify", new { image = "none" }, HttpStatusCode.NotFound);
        await client.PostAsync("api/v1/store/verify", new { version = 1 }, HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task A_damaged_manifest_is_named()
    {
        await using var server = await TestServer.StartAsync(NoNight);
        await SweepTests.TwoVersionsAsync(server);
        var client = await server.AdminAsync();
        var path = server.Get<StoreFolder>().ManifestFile((await server.Get<Server.Images.ImageVersions>().FindAsync("lab", 1, default))!.ManifestHash);
        var bytes = await File.ReadAllBytesAsync(path);
        bytes[^1] ^= 1;
        await File.WriteAllBytesAsync(path, bytes);
        var run = await VerifyAsync(client);
        Assert.Equal(["lab version 1"], run.GetProperty("progress").GetProperty("badManifests").EnumerateArray().Select(m => m.GetString()));
    }

    [Fact]
    public async Task A_verification_goes_on_after_a_restart_and_can_be_cancelled()
    {
        var pace = new Pace();
        await using var server = await TestServer.StartAsync(pace.Slow, NoNight);
        var (first, second) = await SweepTests.TwoVersionsAsync(server);
        var client = await server.AdminAsync();
        pace.Reads.Reset();
        await client.PostAsync("api/v1/store/verify", null, HttpStatusCode.Accepted);
        await client.PostAsync("api/v1/store/verify", null, HttpStatusCode.Conflict);
        await pace.HashedAsync(first.Count / 2);
        // The server's end waits for the chunk being read.
        var stopping = server.StopAsync();
        await Task.Delay(200);
        pace.Reads.Set();
        await stopping;
        var before = pace.Hashed;
        Assert.InRange(before, first.Count / 2, first.Count);

        await server.RestartAfterStopAsync();
        client = await server.AdminAsync();
        var run = await WaitAsync(client);
        Assert.Equal("done", run.Text("state"));
        Assert.Equal(first.Union(second).Count(), run.GetProperty("progress").GetProperty("chunksGood").GetInt32());
        // At most one folder is hashed twice.
        Assert.InRange(pace.Hashed, first.Union(second).Count(), first.Union(second).Count() + 2);

        pace.Reads.Reset();
        await client.PostAsync("api/v1/store/verify", null, HttpStatusCode.Accepted);
        await pace.HashedAsync(pace.Hashed + 3);
        var cancelling = client.PostAsync("api/v1/store/verify/cancel", null, HttpStatusCode.OK);
        await Task.Delay(200);
        pace.Reads.Set();
        Assert.Equal("cancelled", (await cancelling).Text("state"));
        await client.PostAsync("api/v1/store/verify/cancel", null, HttpStatusCode.Conflict);
    }

    internal static void Rot(StoreFolder folder, ChunkId id)
    {
        var path = folder.ChunkFile(id);
        var frame = File.ReadAllBytes(path);
        frame[^5] ^= 4;
        File.WriteAllBytes(path, frame);
    }

    private static async Task<(int First, int Second)> BadChunksAsync(HttpClient client)
    {
        var versions = (await client.GetAsync("api/v1/images/lab", HttpStatusCode.OK)).GetProperty("versions");
        return (versions[1].GetProperty("badChunks").GetInt32(), versions[0].GetProperty("badChunks").GetInt32());
    }

    private static async Task<JsonElement> VerifyAsync(HttpClient client, object? request = null)
    {
        await client.PostAsync("api/v1/store/verify", request, HttpStatusCode.Accepted);
        var run = await WaitAsync(client);
        Assert.True(run.Text("state") == "done", run.ToString());
        return run;
    }

    private static async Task<JsonElement> WaitAsync(HttpClient client)
    {
        for (var i = 0; ; i++)
        {
            var run = await client.GetAsync("api/v1/store/verify", HttpStatusCode.OK);
            // Interrupted: the service has not come to it yet after a restart.
            if (run.Text("state") is not ("running" or "interrupted") || i == 600)
                return run;
            await Task.Delay(50);
        }
    }

    /// <summary>Lets a test stop the hashing between two chunks.</summary>
    private sealed class Pace
    {
        private int _hashed;

        public ManualResetEventSlim Reads { get; } = new(true);

        public int Hashed => Volatile.Read(ref _hashed);

        public void Slow(Microsoft.AspNetCore.Builder.WebApplicationBuilder builder) =>
            Microsoft.Extensions.DependencyInjection.ServiceCollectionServiceExtensions.AddSingleton(builder.Services, services =>
            {
                var store = Microsoft.Extensions.DependencyInjection.ActivatorUtilities.CreateInstance<ChunkStore>(services);
                var read = store.Read;
                store.Read = (file, buffer, offset) =>
                {
                    if (Thread.CurrentThread.Name == "verify")
                    {
                        // Some chunks pass before the gate closes for good.
                        Interlocked.Increment(ref _hashed);
                        if (!Reads.IsSet)
                            Reads.Wait(TimeSpan.FromMilliseconds(20));
                    }
                    return read(file, buffer, offset);
                };
                return store;
            });

        public async Task HashedAsync(int count)
        {
            // The thread that hashes takes only what others leave of the processor.
            for (var i = 0; i < 6000 && Hashed < count; i++)
                await Task.Delay(10);
            Assert.True(Hashed >= count, $"only {Hashed} chunks were hashed");
        }
    }
}
