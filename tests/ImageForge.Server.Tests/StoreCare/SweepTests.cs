using System.Net;
using ImageForge.Contracts;
using ImageForge.Imaging.Chunks;
using ImageForge.Server.Images;
using ImageForge.Server.ImageStore;
using ImageForge.Server.StoreCare;
using ImageForge.Server.Tests.Agents;
using ImageForge.Server.Tests.ImageStore;

namespace ImageForge.Server.Tests.StoreCare;

public sealed class SweepTests
{
    private static readonly string[] NoGrace = ["Store:Grace=00:00:00", "Store:SweepHour=-1"];

    [Fact]
    public async Task A_deleted_versions_own_chunks_go_and_shared_ones_stay()
    {
        await using var server = await TestServer.StartAsync(NoGrace);
        var (first, second) = await TwoVersionsAsync(server);
        var client = await server.AdminAsync();
        await (await client.DeleteAsync("api/v1/images/lab/versions/1")).JsonAsync(HttpStatusCode.NoContent);
        var store = server.Get<ChunkStore>();
        var own = first.Except(second).ToArray();

        var dry = await SweepAsync(client, dryRun: true);
        Assert.Equal(own.Length, dry.ChunksRemoved);
        Assert.All(first, id => Assert.True(store.Holds(id)));

        var swept = await SweepAsync(client);
        Assert.Equal((own.Length, second.Count), ((int)swept.ChunksRemoved, (int)swept.ChunksNamed));
        Assert.Equal((dry.BytesRemoved, 1), (swept.BytesRemoved, swept.ManifestsRemoved));
        Assert.All(own, id => Assert.False(store.Holds(id)));
        Assert.All(second, id => Assert.Equal(ChunkVerdict.Good, store.Verify(id)));
        Assert.Equal(0, (await SweepAsync(client)).ChunksRemoved);
        Assert.Single(Directory.GetFiles(server.Get<StoreFolder>().Manifests));
        Assert.Single(Directory.GetFiles(server.Get<StoreFolder>().Index));
        var told = (await client.GetAsync("api/v1/events", HttpStatusCode.OK)).GetProperty("items").EnumerateArray().Count(e => e.Text("kind") == "storeSwept");
        Assert.Equal(2, told);
    }

    [Fact]
    public async Task Young_chunks_and_young_manifests_stay()
    {
        await using var server = await TestServer.StartAsync("Store:SweepHour=-1");
        await TwoVersionsAsync(server);
        var client = await server.AdminAsync();
        await (await client.DeleteAsync("api/v1/images/lab")).JsonAsync(HttpStatusCode.NoContent);
        server.Clock.Advance(TimeSpan.FromHours(23));
        var early = await SweepAsync(client);
        Assert.Equal((0, 0), ((int)early.ChunksRemoved, early.ManifestsRemoved));
        Assert.Equal(early.ChunksSeen, early.ChunksYoung);
        server.Clock.Advance(TimeSpan.FromHours(2));
        var late = await SweepAsync(client);
        Assert.Equal((late.ChunksSeen, 2), (late.ChunksRemoved, late.ManifestsRemoved));
        Assert.Equal(0, TestStore.FilesIn(server.Get<StoreFolder>().Chunks));
    }

    [Fact]
    public async Task A_paused_capture_keeps_what_it_sent_until_its_lease_expires_and_then_asks_again()
    {
        await using var server = await TestServer.StartAsync(NoGrace);
        var client = await server.AdminAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var task = await agent.OrderCaptureAsync("lab");
        var (_, capture) = await agent.CheckInAsync(task);
        var disk = ImagingCalls.DiskContent(1);
        var (result, _) = await capture.CaptureAsync(disk);

        server.Clock.Advance(TimeSpan.FromDays(6));
        var kept = await SweepAsync(client);
        Assert.Equal((0, 32), ((int)kept.ChunksRemoved, (int)kept.ChunksCountedOn));
        server.Clock.Advance(TimeSpan.FromDays(2));
        var expired = await SweepAsync(client);
        Assert.Equal((32, 32), ((int)expired.ChunksRemoved, (int)expired.LeasesReleased));

        // It comes back, believes that everything is there, and is told otherwise.
        var problem = await (await capture.SealAsync(result.ManifestBytes)).ShouldBeAsync(422, "chunksMissing");
        Assert.Contains("32 chunks", problem.Detail, StringComparison.Ordinal);
        var (again, chunks) = await capture.CaptureAsync(disk);
        Assert.Equal(32, chunks.Sent.Distinct().Count());
        Assert.Equal(1, (await capture.SealAsync(again.ManifestBytes).ReadAsync(AgentJson.Default.SealReply)).VersionNumber);
    }

    [Fact]
    public async Task What_was_held_without_a_lease_cannot_be_sealed()
    {
        // Expired and not yet swept: the chunks are there, but nothing keeps the next sweep from taking them before the seal ends.
        await using var server = await TestServer.StartAsync(NoGrace);
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var task = await agent.OrderCaptureAsync("lab");
        var (_, capture) = await agent.CheckInAsync(task);
        var (result, _) = await capture.CaptureAsync(ImagingCalls.DiskContent(1));
        await server.Get<ChunkLeases>().ReleaseAsync(task, default);
        await (await capture.SealAsync(result.ManifestBytes)).ShouldBeAsync(422, "chunksMissing");
        var (again, chunks) = await capture.CaptureAsync(ImagingCalls.DiskContent(1));
        Assert.Empty(chunks.Sent);
        await capture.SealAsync(again.ManifestBytes).ReadAsync(AgentJson.Default.SealReply);
    }

    [Fact]
    public async Task A_cancelled_captures_chunks_go()
    {
        await using var server = await TestServer.StartAsync(NoGrace);
        var client = await server.AdminAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var task = await agent.OrderCaptureAsync("lab");
        var (_, capture) = await agent.CheckInAsync(task);
        await capture.CaptureAsync(ImagingCalls.DiskContent(1));
        await CheckInTests.CancelAsync(server, task);
        await capture.FinishAsync(HostTaskState.Failed, new Failure("cancelled", Fault.Cancelled, "Cancelled.", "Nothing to do."));
        Assert.Equal(32, (await SweepAsync(client)).ChunksRemoved);
    }

    [Fact]
    public async Task Nothing_is_removed_while_nobody_can_tell_what_a_version_needs()
    {
        await using var server = await TestServer.StartAsync(NoGrace);
        var (first, _) = await TwoVersionsAsync(server);
        var client = await server.AdminAsync();
        var folder = server.Get<StoreFolder>();
        var hash = (await server.Get<ImageVersions>().FindAsync("lab", 2, default))!.ManifestHash;
        await (await client.DeleteAsync("api/v1/images/lab/versions/1")).JsonAsync(HttpStatusCode.NoContent);
        var manifest = await File.ReadAllBytesAsync(folder.ManifestFile(hash));
        manifest[40] ^= 1;
        await File.WriteAllBytesAsync(folder.ManifestFile(hash), manifest);
        await File.WriteAllBytesAsync(folder.IndexFile(hash), new byte[100]);
        var refused = await SweepAsync(client, state: "failed");
        Assert.Contains("lab version 2", refused.Problem, StringComparison.Ordinal);
        Assert.All(first, id => Assert.True(server.Get<ChunkStore>().Holds(id)));

        manifest[40] ^= 1;
        await File.WriteAllBytesAsync(folder.ManifestFile(hash), manifest);
        Assert.True((await SweepAsync(client)).ChunksRemoved > 0);
        // The index was made again from the manifest.
        Assert.True(new FileInfo(folder.IndexFile(hash)).Length > 1000);
    }

    [Fact]
    public async Task A_lost_index_is_made_again_before_anything_is_removed()
    {
        await using var server = await TestServer.StartAsync(NoGrace);
        await TwoVersionsAsync(server);
        foreach (var file in Directory.GetFiles(server.Get<StoreFolder>().Index))
            File.Delete(file);
        var swept = await SweepAsync(await server.AdminAsync());
        Assert.Equal((0, swept.ChunksSeen), (swept.ChunksRemoved, swept.ChunksNamed));
    }

    [Fact]
    public async Task Files_nobody_needs_go_and_strange_ones_stay()
    {
        await using var server = await TestServer.StartAsync(NoGrace);
        await TwoVersionsAsync(server);
        var folder = server.Get<StoreFolder>();
        var strange = Path.Combine(Path.GetDirectoryName(folder.ChunkFile(ChunkId.Of([1])))!, "README");
        Directory.CreateDirectory(Path.GetDirectoryName(strange)!);
        await File.WriteAllTextAsync(strange, "mine");
        await File.WriteAllTextAsync(folder.NewIncomingFile(), "young");
        var dead = folder.NewIncomingFile();
        await File.WriteAllTextAsync(dead, "dead");
        File.SetLastWriteTimeUtc(dead, DateTime.UnixEpoch);
        var quarantined = folder.QuarantineFile(ChunkId.Of([2]));
        await File.WriteAllTextAsync(quarantined, "bad");
        File.SetLastWriteTimeUtc(quarantined, DateTime.UnixEpoch);
        var swept = await SweepAsync(await server.AdminAsync());
        Assert.Equal((1, 1, 0), (swept.TemporaryRemoved, swept.QuarantinedRemoved, (int)swept.ChunksRemoved));
        Assert.True(File.Exists(strange));
        Assert.Single(Directory.GetFiles(folder.Incoming));
    }

    [Fact]
    public async Task Another_root_keeps_what_it_counts_on()
    {
        var root = new FixedRoot();
        await using var server = await TestServer.StartAsync(
            builder => Microsoft.Extensions.DependencyInjection.ServiceCollectionServiceExtensions.AddSingleton<IChunkRoots>(builder.Services, root), NoGrace);
        var (first, second) = await TwoVersionsAsync(server);
        var client = await server.AdminAsync();
        root.Ids = [.. first.Except(second).Take(3)];
        await (await client.DeleteAsync("api/v1/images/lab/versions/1")).JsonAsync(HttpStatusCode.NoContent);
        Assert.Equal(3, (await SweepAsync(client)).ChunksCountedOn);
        Assert.All(root.Ids, id => Assert.True(server.Get<ChunkStore>().Holds(id)));
    }

    [Fact]
    public async Task A_version_says_what_it_shares_and_what_its_capture_added()
    {
        await using var server = await TestServer.StartAsync(NoGrace);
        var (first, second) = await TwoVersionsAsync(server);
        var client = await server.AdminAsync();
        var store = server.Get<ChunkStore>();
        long Sum(IEnumerable<ChunkId> ids) => ids.Sum(id => store.StoredLength(id)!.Value);
        var versions = server.Get<ImageVersions>();
        for (var i = 0; i < 200 && (await versions.FindAsync("lab", 2, default))!.UniqueBytes is null; i++)
            await Task.Delay(50);
        var image = (await client.GetAsync("api/v1/images/lab", HttpStatusCode.OK)).GetProperty("versions");
        Assert.Equal((Sum(second), Sum(second.Except(first)), Sum(second.Intersect(first))), Sizes(image[0], "uniqueBytes", "sharedBytes"));
        Assert.Equal((Sum(second), Sum(second.Except(first)), Sum(second.Intersect(first))), Sizes(image[0], "newBytes", "reusedBytes"));
        Assert.Equal((Sum(first), Sum(first.Except(second)), Sum(second.Intersect(first))), Sizes(image[1], "uniqueBytes", "sharedBytes"));
        Assert.Equal((Sum(first), Sum(first), 0), Sizes(image[1], "newBytes", "reusedBytes"));

        static (long, long, long) Sizes(System.Text.Json.JsonElement version, string a, string b) =>
            (version.GetProperty("storedBytes").GetInt64(), version.GetProperty(a).GetInt64(), version.GetProperty(b).GetInt64());
    }

    /// <summary>Two versions of "lab" that share three quarters of their chunks.</summary>
    internal static async Task<(IReadOnlyList<ChunkId> First, IReadOnlyList<ChunkId> Second)> TwoVersionsAsync(TestServer server)
    {
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var disk = ImagingCalls.DiskContent(1);
        var first = await agent.CaptureWholeAsync("lab", disk);
        new Random(2).NextBytes(disk.AsSpan(0, disk.Length / 4));
        var second = await agent.CaptureWholeAsync("lab", disk);
        var chunks = server.Get<VersionChunks>();
        return ((await chunks.OfAsync(first.ManifestHash, default))!.Ids, (await chunks.OfAsync(second.ManifestHash, default))!.Ids);
    }

    internal static async Task<SweepProgress> SweepAsync(HttpClient client, bool dryRun = false, string state = "done")
    {
        await client.PostAsync("api/v1/store/sweep", new { dryRun }, HttpStatusCode.Accepted);
        for (var i = 0; i < 600; i++)
        {
            var run = await client.GetAsync("api/v1/store/sweep", HttpStatusCode.OK);
            if (run.Text("state") != "running")
            {
                Assert.True(run.Text("state") == state, run.ToString());
                return System.Text.Json.JsonSerializer.Deserialize(run.GetProperty("progress").GetRawText(), StoreCareJson.Default.SweepProgress)!;
            }
            await Task.Delay(50);
        }
        throw new InvalidOperationException("the sweep does not end");
    }

    private sealed class FixedRoot : IChunkRoots
    {
        public ChunkId[] Ids { get; set; } = [];

        public Task KeepAsync(IReadOnlyList<ChunkId> candidates, HashSet<ChunkId> kept, CancellationToken cancellationToken)
        {
            Assert.Equal(candidates.Order(), candidates);
            kept.UnionWith(Ids.Intersect(candidates));
            return Task.CompletedTask;
        }
    }
}
