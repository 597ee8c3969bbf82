using System.Net;
using System.Security.Cryptography;
using System.Text;
using ImageForge.Contracts;
using ImageForge.Imaging.Chunks;
using ImageForge.Server.Data;
using ImageForge.Server.Images;
using ImageForge.Server.ImageStore;
using ImageForge.Server.Jobs;
using ImageForge.Server.Tests.ImageStore;

namespace ImageForge.Server.Tests.Agents;

public sealed class CaptureProtocolTests
{
    [Fact]
    public async Task A_capture_over_https_becomes_a_signed_version_and_a_second_one_sends_nothing()
    {
        await using var server = await TestServer.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var disk = ImagingCalls.DiskContent(1);
        var task = await agent.OrderCaptureAsync("lab");
        var (_, client) = await agent.CheckInAsync(task);
        var (result, chunks) = await client.CaptureAsync(disk);
        Assert.Equal(32, chunks.Sent.Distinct().Count());

        var reply = await client.SealAsync(result.ManifestBytes).ReadAsync(AgentJson.Default.SealReply);
        Assert.Equal(new SealReply("lab", 1, result.ManifestHash), reply);
        // A lost answer: the same again is the same version.
        Assert.Equal(reply, await client.SealAsync(result.ManifestBytes).ReadAsync(AgentJson.Default.SealReply));
        Assert.Equal(HttpStatusCode.NoContent, (await client.FinishAsync(HostTaskState.Succeeded)).StatusCode);
        Assert.Equal(HttpStatusCode.NoContent, (await client.FinishAsync(HostTaskState.Succeeded)).StatusCode);
        await (await client.ReportAsync(HostTaskState.Finishing)).ShouldBeAsync(401, "taskEnded");
        await (await client.PostAsync("agent/v1/capture/chunks/missing", new ByteArrayContent(new byte[32]))).ShouldBeAsync(401, "taskEnded");
        Assert.Equal(HostTaskState.Succeeded, (await agent.TaskAsync(task)).State);
        Assert.Empty(await server.Get<ChunkLeases>().TasksAsync(default));

        var version = (await server.Get<ImageVersions>().FindAsync("lab", 1, default))!;
        Assert.Equal((disk.Length, 32L), (version.DiskBytes, version.ChunkCount));
        using var key = ECDsa.Create();
        key.ImportFromPem(await (await server.AdminAsync()).GetStringAsync("api/v1/image-signing-key"));
        Assert.True(key.VerifyData(result.ManifestBytes, version.Signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));

        var (_, again) = await agent.CheckInAsync(await agent.OrderCaptureAsync("lab"));
        var (second, nothing) = await again.CaptureAsync(disk);
        Assert.Empty(nothing.Sent);
        Assert.Equal(2, (await again.SealAsync(second.ManifestBytes).ReadAsync(AgentJson.Default.SealReply)).VersionNumber);
    }

    [Fact]
    public async Task A_capture_that_was_killed_sends_nothing_twice()
    {
        await using var server = await TestServer.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var task = await agent.OrderCaptureAsync("lab");
        var (_, first) = await agent.CheckInAsync(task);
        var sent = TestChunk.Several(21, 10);
        await new HttpChunks(first).MissingAsync([.. sent.Select(c => c.Id)], default);
        foreach (var chunk in sent[..6])
            (await first.PutChunkAsync(chunk.Id.ToString(), chunk.Plain.Length, chunk.Frame)).EnsureSuccessStatusCode();
        var (_, second) = await agent.CheckInAsync(task);
        var missing = await new HttpChunks(second).MissingAsync([.. sent.Select(c => c.Id)], default);
        Assert.Equal([6, 7, 8, 9], missing.Index().Where(m => m.Item).Select(m => m.Index));
    }

    [Fact]
    public async Task A_machine_that_lost_power_after_the_seal_sends_nothing_and_gets_the_same_version()
    {
        await using var server = await TestServer.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var task = await agent.OrderCaptureAsync("lab");
        var disk = ImagingCalls.DiskContent(5);
        var (_, first) = await agent.CheckInAsync(task);
        var reply = await first.SealAsync((await first.CaptureAsync(disk)).Result.ManifestBytes).ReadAsync(AgentJson.Default.SealReply);

        var (answer, second) = await agent.CheckInAsync(task);
        Assert.True(answer.Resumed);
        var (again, chunks) = await second.CaptureAsync(disk);
        Assert.Empty(chunks.Sent);
        Assert.Equal(reply, await second.SealAsync(again.ManifestBytes).ReadAsync(AgentJson.Default.SealReply));
        Assert.Equal(HttpStatusCode.NoContent, (await second.FinishAsync(HostTaskState.Succeeded)).StatusCode);
    }

    [Fact]
    public async Task Nothing_is_sealed_before_every_chunk_is_there()
    {
        await using var server = await TestServer.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var task = await agent.OrderCaptureAsync("lab");
        var (_, client) = await agent.CheckInAsync(task);
        var (result, chunks) = await client.CaptureAsync(ImagingCalls.DiskContent(2));
        var (lost, other) = (chunks.Sent.First(), chunks.Sent.Last());
        var folder = server.Get<StoreFolder>();
        File.Delete(folder.ChunkFile(lost));
        var problem = await (await client.SealAsync(result.ManifestBytes)).ShouldBeAsync(422, "chunksMissing");
        Assert.Contains("1 chunks", problem.Detail, StringComparison.Ordinal);
        Assert.Contains(lost.ToString(), problem.Detail, StringComparison.Ordinal);
        await (await client.FinishAsync(HostTaskState.Succeeded)).ShouldBeAsync(409, "notSealed");
        Assert.Null(await server.Get<ImageVersions>().ListAsync("lab", default));
        Assert.Empty(Directory.GetFiles(folder.Manifests));
        Assert.NotEqual(lost, other);
    }

    [Fact]
    public async Task A_failed_sync_seals_nothing_and_the_chunks_are_wanted_again()
    {
        var sync = new CountingSync();
        await using var server = await TestServer.StartAsync(builder =>
            Microsoft.Extensions.DependencyInjection.ServiceCollectionServiceExtensions.AddSingleton<IStoreSync>(builder.Services, sync));
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var (_, client) = await agent.CheckInAsync(await agent.OrderCaptureAsync("lab"));
        var disk = ImagingCalls.DiskContent(4);
        var (result, _) = await client.CaptureAsync(disk);
        sync.NextErrno = 5;
        await (await client.SealAsync(result.ManifestBytes)).ShouldBeAsync(503, "storeNotDurable");
        await (await client.SealAsync(result.ManifestBytes)).ShouldBeAsync(422, "chunksMissing");
        var (_, again) = await client.CaptureAsync(disk);
        Assert.Equal(32, again.Sent.Distinct().Count());
        Assert.Equal(1, (await client.SealAsync(result.ManifestBytes).ReadAsync(AgentJson.Default.SealReply)).VersionNumber);
    }

    [Fact]
    public async Task Chunk_calls_count_as_signs_of_life()
    {
        await using var server = await TestServer.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var task = await agent.OrderCaptureAsync("lab");
        var (_, client) = await agent.CheckInAsync(task);
        await server.Get<Database>().WriteAsync((connection, transaction) =>
            Dapper.SqlMapper.ExecuteAsync(connection, "UPDATE host_tasks SET last_heard_at = 1", transaction: transaction), default);
        await new HttpChunks(client).MissingAsync([ChunkId.Of(Encoding.ASCII.GetBytes("x"))], default);
        Assert.True((await agent.TaskAsync(task)).LastHeardAt > DateTimeOffset.UnixEpoch.AddYears(40));
    }
}
