using System.Net;
using ImageForge.Contracts;
using ImageForge.Server.Data;
using ImageForge.Server.Images;
using ImageForge.Server.ImageStore;
using ImageForge.Server.Tests.ImageStore;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace ImageForge.Server.Tests.Agents;

/// <summary>What happens to a seal while the disk takes its time to sync.</summary>
public sealed class EndedSealTests
{
    [Fact]
    public async Task A_task_that_ended_during_the_sync_seals_nothing()
    {
        var sync = new CountingSync();
        await using var server = await StartAsync(sync);
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var task = await agent.OrderCaptureAsync("lab");
        var (_, client) = await agent.CheckInAsync(task);
        var (result, _) = await client.CaptureAsync(ImagingCalls.DiskContent(6));
        sync.During = () => server.Get<Database>().WriteAsync((connection, transaction) => Dapper.SqlMapper.ExecuteAsync(
            connection, "UPDATE host_tasks SET state = 'cancelled', finished_at = 1 WHERE id = @task", new { task }, transaction), default).Wait();
        await (await client.SealAsync(result.ManifestBytes)).ShouldBeAsync(409, "taskEnded");
        Assert.Empty(await server.Get<ImageVersions>().ListManifestsAsync(default));
    }

    [Fact]
    public async Task Chunks_removed_during_the_sync_are_missed()
    {
        var sync = new CountingSync();
        await using var server = await StartAsync(sync);
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var (_, client) = await agent.CheckInAsync(await agent.OrderCaptureAsync("lab"));
        var (result, chunks) = await client.CaptureAsync(ImagingCalls.DiskContent(7));
        var gone = chunks.Sent.First();
        sync.During = () =>
        {
            server.Get<ChunkStore>().Condemn([gone]);
            server.Get<ChunkStore>().RemoveCondemned(gone);
        };
        var problem = await (await client.SealAsync(result.ManifestBytes)).ShouldBeAsync(422, "chunksMissing");
        Assert.Contains(gone.ToString(), problem.Detail, StringComparison.Ordinal);
        Assert.Empty(await server.Get<ImageVersions>().ListManifestsAsync(default));

        sync.During = null;
        var (again, sent) = await client.CaptureAsync(ImagingCalls.DiskContent(7));
        Assert.Equal([gone], sent.Sent);
        Assert.Equal(1, (await client.SealAsync(again.ManifestBytes).ReadAsync(AgentJson.Default.SealReply)).VersionNumber);
    }

    [Fact]
    public async Task The_memory_of_a_manifest_is_its_own_and_given_back_before_the_sync()
    {
        var sync = new CountingSync();
        await using var server = await StartAsync(sync, "Store:ManifestMemoryBytes=100");
        var (chunks, manifests) = (server.Get<UploadMemory>(), server.Services.GetRequiredKeyedService<UploadMemory>(UploadMemory.Manifests));
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var (_, client) = await agent.CheckInAsync(await agent.OrderCaptureAsync("lab"));
        var (result, _) = await client.CaptureAsync(ImagingCalls.DiskContent(8));
        var free = 0L;
        sync.During = () => free = manifests.FreeBytes;
        // All memory for chunks is taken: a manifest needs none of it.
        using (await chunks.TakeAsync(long.MaxValue, default))
            Assert.Equal(1, (await client.SealAsync(result.ManifestBytes).ReadAsync(AgentJson.Default.SealReply).WaitAsync(TimeSpan.FromMinutes(1))).VersionNumber);
        Assert.Equal((100, 100), (free, manifests.FreeBytes));
    }

    private static Task<TestServer> StartAsync(CountingSync sync, params string[] settings) =>
        TestServer.StartAsync(builder => builder.Services.AddSingleton<IStoreSync>(sync), settings);
}
