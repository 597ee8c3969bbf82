using System.Net;
using ImageForge.Contracts;
using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Manifests;
using ImageForge.Server.Access;
using ImageForge.Server.Images;
using ImageForge.Server.Tests.Agents;

namespace ImageForge.Server.Tests.StoreCare;

/// <summary>The server as a real process, killed with SIGKILL in the middle of sweeps.</summary>
public sealed class KilledSweepTests
{
    [Fact]
    public async Task A_sweep_killed_at_any_point_harms_no_version_and_the_next_one_finishes_its_work()
    {
        const int seed = 61;
        await using var server = await ServerProcess.StartAsync(null, "Store:Grace=00:00:00", "Store:SweepHour=-1");
        var random = new Random(seed);
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var (_, token) = await server.Get<ApiTokenStore>().CreateAsync("test", [Scopes.Admin], null, null, default);
        var admin = server.WithToken(token);
        var disk = ImagingCalls.DiskContent(seed, 32 << 20);
        var kept = await agent.CaptureWholeAsync("kept", disk);
        for (var kill = 0; kill < 4; kill++)
        {
            // Half of it is shared with what stays.
            var other = ImagingCalls.DiskContent(seed + 1 + kill, 32 << 20);
            disk.AsSpan(0, 16 << 20).CopyTo(other);
            await agent.CaptureWholeAsync("gone", other);
            (await admin.DeleteAsync("api/v1/images/gone")).EnsureSuccessStatusCode();
            await admin.PostAsync("api/v1/store/sweep", null, HttpStatusCode.Accepted);
            await Task.Delay(random.Next(0, 40));
            await server.KillAsync();
            await server.RunAsync();
            Assert.Equal("interrupted", (await WaitAsync(admin, "running")).Text("state"));
            AssertComplete(server, kept.ManifestHash);
        }
        await admin.PostAsync("api/v1/store/sweep", null, HttpStatusCode.Accepted);
        Assert.Equal("done", (await WaitAsync(admin, "running")).Text("state"));
        var wanted = AssertComplete(server, kept.ManifestHash);
        Assert.Equal(wanted, Directory.GetFiles(Path.Combine(server.StoreFolder, "chunks"), "*", SearchOption.AllDirectories).Length);
    }

    private static async Task<System.Text.Json.JsonElement> WaitAsync(HttpClient admin, string whileState)
    {
        for (var i = 0; ; i++)
        {
            var run = await admin.GetAsync("api/v1/store/sweep", HttpStatusCode.OK);
            if (run.Text("state") != whileState || i == 600)
                return run;
            await Task.Delay(50);
        }
    }

    private static int AssertComplete(ServerProcess server, string manifestHash)
    {
        var bytes = File.ReadAllBytes(Path.Combine(server.StoreFolder, "manifests", manifestHash));
        Assert.True(ManifestParser.TryParse(bytes, out var manifest, out _));
        var ids = manifest.DataChunks().Select(static c => c.Id).Distinct().ToArray();
        foreach (var id in ids)
        {
            var frame = File.ReadAllBytes(ChunkPaths.Of(Path.Combine(server.StoreFolder, "chunks"), id));
            Assert.True(ChunkFrame.Verify(id, 64 << 10, frame), $"chunk {id} is bad");
        }
        return ids.Length;
    }
}
