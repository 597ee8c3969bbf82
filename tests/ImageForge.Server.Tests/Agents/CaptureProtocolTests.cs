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
    public async Task Every_wrong_upload_has_its_own_refusal_and_stores_nothing()
    {
        await using var server = await TestServer.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var (_, client) = await agent.CheckInAsync(await agent.OrderCaptureAsync("lab"));
        var chunks = TestChunk.Several(22, 3);
        var (chunk, other, unasked) = (chunks[0], chunks[1], chunks[2]);
        var id = chunk.Id.ToString();
        await new HttpChunks(client).MissingAsync([chunk.Id, other.Id], default);

        await (await client.PutChunkAsync("zz", chunk.Plain.Length, chunk.Frame)).ShouldBeAsync(400, "badChunkId");
        await (await client.PutChunkAsync(id.ToUpperInvariant(), chunk.Plain.Length, chunk.Frame)).ShouldBeAsync(400, "badChunkId");
        await (await client.PutChunkAsync("..%2f..%2f" + id[10..], chunk.Plain.Length, chunk.Frame)).ShouldBeAsync(400, "badChunkId");
        foreach (var length in (object?[])[null, "", "0", "-1", "65537", "1e3", "99999999999", "0x10"])
            await (await client.PutChunkAsync(id, length, chunk.Frame)).ShouldBeAsync(400, "badPlainLength");
        await (await client.PutChunkAsync(id, chunk.Plain.Length, other.Frame)).ShouldBeAsync(422, "chunkRefused");
        await (await client.PutChunkAsync(id, chunk.Plain.Length, [])).ShouldBeAsync(422, "chunkRefused");
        await (await client.PutChunkAsync(id, chunk.Plain.Length, new byte[100_000])).ShouldBeAsync(413, "bodyTooLarge");
        await (await client.PutChunkAsync(unasked.Id.ToString(), unasked.Plain.Length, unasked.Frame)).ShouldBeAsync(409, "chunkNotAsked");
        await (await server.Anonymous().PutChunkAsync(id, chunk.Plain.Length, chunk.Frame)).ShouldBeAsync(401, "tokenRevoked");
        await (await server.WithToken(ScriptedAgent.Nonce()).PutChunkAsync(id, chunk.Plain.Length, chunk.Frame)).ShouldBeAsync(401, "tokenRevoked");
        await (await client.GetAsync("agent/v1/deploy/manifest")).ShouldBeAsync(403, "wrongTask");
        Assert.Empty(Directory.GetFiles(server.Get<StoreFolder>().Chunks, "*", SearchOption.AllDirectories));

        Assert.Equal(HttpStatusCode.NoContent, (await client.PutChunkAsync(id, chunk.Plain.Length, chunk.Frame)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await client.PutChunkAsync(id, chunk.Plain.Length, chunk.Frame)).StatusCode);
    }

    [Fact]
    public async Task An_administrators_api_token_is_no_task_token()
    {
        await using var server = await TestServer.StartAsync();
        await (await (await server.AdminAsync()).ReportAsync(HostTaskState.Preparing)).ShouldBeAsync(401, "tokenRevoked");
    }

    [Fact]
    public async Task A_cancelled_task_hears_it_and_is_answered_nothing_else()
    {
        await using var server = await TestServer.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var task = await agent.OrderCaptureAsync("lab");
        var (_, client) = await agent.CheckInAsync(task);
        Assert.False((await client.ReportAsync(HostTaskState.Transferring).ReadAsync(AgentJson.Default.ProgressReply)).Cancelled);
        await CheckInTests.CancelAsync(server, task);
        server.Clock.Advance(TimeSpan.FromSeconds(2));
        Assert.True((await client.ReportAsync(HostTaskState.Transferring).ReadAsync(AgentJson.Default.ProgressReply)).Cancelled);
        await (await client.PostAsync("agent/v1/capture/chunks/missing", new ByteArrayContent(new byte[32]))).ShouldBeAsync(409, "cancelled");
        await (await client.PutChunkAsync(new string('0', 64), 1, [1])).ShouldBeAsync(409, "cancelled");
        await (await client.SealAsync([1])).ShouldBeAsync(409, "cancelled");
        var failure = new Failure("cancelled", Fault.Cancelled, "Cancelled.", "Nothing to do.");
        Assert.Equal(HttpStatusCode.NoContent, (await client.FinishAsync(HostTaskState.Failed, failure)).StatusCode);
        Assert.Equal(HostTaskState.Cancelled, (await agent.TaskAsync(task)).State);
    }

    [Fact]
    public async Task A_failure_reaches_the_record_unchanged()
    {
        await using var server = await TestServer.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var task = await agent.OrderCaptureAsync("lab");
        var (_, client) = await agent.CheckInAsync(task);
        var failure = new Failure("diskReadFailed", Fault.Disk, "Sector 4711 of /dev/vda cannot be read.", "Replace the disk.");
        Assert.Equal(HttpStatusCode.NoContent, (await client.FinishAsync(HostTaskState.Failed, failure)).StatusCode);
        Assert.Equal(failure, (await agent.TaskAsync(task)).Failure);
    }

    [Fact]
    public async Task A_task_log_is_kept_clean_and_bounded()
    {
        await using var server = await TestServer.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var task = await agent.OrderCaptureAsync("lab");
        var (_, client) = await agent.CheckInAsync(task);
        (await client.PostAsync("agent/v1/task/log", new StringContent("line one\u001b[31m\r\nline two"))).EnsureSuccessStatusCode();
        var path = Path.Combine(server.DataFolder, "logs", "tasks", $"{task}.log");
        Assert.Equal("line one[31m\nline two\n", await File.ReadAllTextAsync(path));
        var reader = await server.WithScopeAsync("read");
        Assert.Equal("line one[31m\nline two\n", await reader.GetStringAsync($"api/v1/host-tasks/{task}/log"));
        await (await reader.GetAsync("api/v1/host-tasks/4711/log")).ShouldBeAsync(404, "noLog");
        for (var i = 0; i < 30; i++)
            (await client.PostAsync("agent/v1/task/log", new StringContent(new string('x', 60_000)))).EnsureSuccessStatusCode();
        var text = await File.ReadAllTextAsync(path);
        Assert.Equal(1 << 20, text.Length);
        Assert.EndsWith("(the log of this task is full)\n", text, StringComparison.Ordinal);
        await (await client.PostAsync("agent/v1/task/log", new StringContent(new string('x', 70_000)))).ShouldBeAsync(413, "bodyTooLarge");
    }

    [Fact]
    public async Task Garbage_as_questions_and_manifests_is_refused_and_never_a_server_error()
    {
        await using var server = await TestServer.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var (_, client) = await agent.CheckInAsync(await agent.OrderCaptureAsync("lab"));
        var (result, _) = await client.CaptureAsync(ImagingCalls.DiskContent(3, 1 << 20));
        const int seed = 77;
        var random = new Random(seed);
        for (var i = 0; i < 1000; i++)
        {
            var manifest = result.ManifestBytes.ToArray();
            if (random.Next(3) == 0)
                manifest = manifest[..random.Next(manifest.Length)];
            else
                manifest[random.Next(manifest.Length)] ^= (byte)(1 << random.Next(8));
            using var sealing = await client.SealAsync(manifest);
            Assert.True((int)sealing.StatusCode == 422, $"seed {seed}, case {i}: {(int)sealing.StatusCode}");

            var question = new byte[random.Next(200)];
            random.NextBytes(question);
            using var missing = await client.PostAsync("agent/v1/capture/chunks/missing", new ByteArrayContent(question));
            var whole = question.Length > 0 && question.Length % 32 == 0;
            Assert.True((int)missing.StatusCode == (whole ? 200 : 400), $"seed {seed}, case {i}: {(int)missing.StatusCode} for {question.Length} bytes");

            using var progress = await client.PostAsync("agent/v1/task/progress", new ByteArrayContent(question));
            Assert.True((int)progress.StatusCode == 400, $"seed {seed}, case {i}");
        }
        await (await client.PostAsync("agent/v1/capture/chunks/missing", new ByteArrayContent(new byte[(65_536 * 32) + 32]))).ShouldBeAsync(413, "bodyTooLarge");
        Assert.Equal(1, (await client.SealAsync(result.ManifestBytes).ReadAsync(AgentJson.Default.SealReply)).VersionNumber);
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
