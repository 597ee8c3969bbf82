using System.Net;
using ImageForge.Contracts;
using ImageForge.Imaging.Chunks;
using ImageForge.Server.Data;
using ImageForge.Server.ImageStore;
using ImageForge.Server.Jobs;
using ImageForge.Server.Tests.ImageStore;

namespace ImageForge.Server.Tests.Agents;

/// <summary>What a capturing agent is refused, and what it may say meanwhile.</summary>
public sealed class CaptureRefusalTests
{
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
}
