using System.Net;
using System.Net.Http.Json;
using ImageForge.Contracts;
using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Manifests;
using ImageForge.Server.Images;
using ImageForge.Server.ImageStore;
using ImageForge.Server.Jobs;

namespace ImageForge.Server.Tests.Agents;

public sealed class DeployProtocolTests
{
    private static async Task<(TestServer Server, ScriptedAgent Agent, ImageVersion Version)> WithImageAsync(byte[] disk)
    {
        var server = await TestServer.StartAsync();
        var source = await ScriptedAgent.WithHostAsync(server, "source");
        await source.CaptureWholeAsync("lab", disk);
        var target = await ScriptedAgent.WithHostAsync(server, "target");
        target.Inventory = target.Inventory with { Uuid = "9c1d2d3c-4b5a-4968-8776-655443322119", Serial = "SN-9" };
        return (server, target, (await server.Get<ImageVersions>().FindAsync("lab", 1, default))!);
    }

    private static Task<long> OrderAsync(ScriptedAgent agent, ImageVersion version, string? disk = null) =>
        agent.OrderAsync(JobKind.Deploy, new JobParameters(ImageName: version.ImageName, ImageVersion: version.Number, Disk: disk), version.Id);

    private static DeployPlan Plan(string disk = "vda", string? serial = "DISK-1", long size = ScriptedAgent.DiskBytes) =>
        new(disk, "TestDisk", serial, size, 512, false, [new PlannedVolume(0, "", "unknown", 0, size, size)], size, size, $"everything on {disk}");

    private static Task<PlanReply> ShowAsync(HttpClient client, DeployPlan plan) =>
        client.PostAsync("agent/v1/task/plan", JsonContent.Create(plan, AgentJson.Default.DeployPlan)).ReadAsync(AgentJson.Default.PlanReply);

    [Fact]
    public async Task A_deploy_over_https_restores_every_byte()
    {
        var disk = ImagingCalls.DiskContent(11);
        var (server, agent, version) = await WithImageAsync(disk);
        await using var _ = server;
        var task = await OrderAsync(agent, version);
        var (answer, client) = await agent.CheckInAsync(task);
        Assert.Equal(new DeployAssignment("lab", 1, version.ManifestHash, null), answer.Task.Deploy);
        Assert.Equal(new PlanReply(true, null), await ShowAsync(client, Plan()));
        Assert.Equal("everything on vda", (await agent.TaskAsync(task)).Plan!.Erases);
        Assert.Equal(disk, await client.DeployAsync(answer.Task.Deploy!));
        Assert.Equal(HttpStatusCode.NoContent, (await client.FinishAsync(HostTaskState.Succeeded)).StatusCode);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_machine_that_does_not_tell_the_identity_we_know_is_not_overwritten(bool resume)
    {
        var (server, agent, version) = await WithImageAsync(ImagingCalls.DiskContent(12));
        await using var _ = server;
        await agent.CheckInAsync(await agent.OrderCaptureAsync("known"));
        var capture = (await server.Get<HostTaskStore>().FindActiveForHostAsync(agent.Host.Id, default))!;
        await server.Get<HostTaskStore>().FailAsync(capture.Id, new Failure("test", Fault.Server, "Ended.", "None."), default);
        var task = await OrderAsync(agent, version);
        if (resume)
            await agent.CheckInAsync(task);
        agent.Inventory = agent.Inventory with { Uuid = null, Serial = "To be filled by O.E.M." };
        await (await agent.SendCheckInAsync(agent.Request(await agent.BootAsync(task)))).ShouldBeAsync(403, "identityMismatch");
        Assert.Null((await agent.TaskAsync(task)).Plan);
    }

    [Fact]
    public async Task Manifest_and_chunks_carry_signature_and_caching_rules()
    {
        var (server, agent, version) = await WithImageAsync(ImagingCalls.DiskContent(12));
        await using var _ = server;
        var (_, client) = await agent.CheckInAsync(await OrderAsync(agent, version));
        using var manifest = await client.GetAsync("agent/v1/deploy/manifest");
        Assert.Equal(Convert.ToBase64String(version.Signature), Assert.Single(manifest.Headers.GetValues("X-Manifest-Signature")));
        using var chunk = await client.GetAsync($"agent/v1/deploy/chunks/{await FirstChunkAsync(server, version)}");
        Assert.True(chunk.Headers.CacheControl!.Private);
        Assert.Contains("immutable", chunk.Headers.CacheControl.ToString(), StringComparison.Ordinal);
        Assert.NotNull(chunk.Content.Headers.ContentLength);
    }

    [Fact]
    public async Task A_deploy_reads_only_the_chunks_of_its_own_version()
    {
        var (server, agent, version) = await WithImageAsync(ImagingCalls.DiskContent(13));
        await using var _ = server;
        var other = await ScriptedAgent.WithHostAsync(server, "other");
        await other.CaptureWholeAsync("secret", ImagingCalls.DiskContent(14));
        var foreign = await FirstChunkAsync(server, (await server.Get<ImageVersions>().FindAsync("secret", 1, default))!);
        var own = await FirstChunkAsync(server, version);
        var (_, client) = await agent.CheckInAsync(await OrderAsync(agent, version));
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync($"agent/v1/deploy/chunks/{own}")).StatusCode);
        await (await client.GetAsync($"agent/v1/deploy/chunks/{foreign}")).ShouldBeAsync(403, "chunkOfAnotherImage");
        await (await client.GetAsync($"agent/v1/deploy/chunks/{new string('0', 64)}")).ShouldBeAsync(403, "chunkOfAnotherImage");
        await (await client.GetAsync("agent/v1/deploy/chunks/..%2F..%2Fimageforge.db")).ShouldBeAsync(400, "badChunkId");
        await (await client.PostAsync("agent/v1/capture/chunks/missing", new ByteArrayContent(new byte[32]))).ShouldBeAsync(403, "wrongTask");
        using var missing = await client.PostAsync("agent/v1/deploy/chunks/missing", new ByteArrayContent([.. foreign.ToArray(), .. own.ToArray()]));
        Assert.Equal([1], await missing.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task A_version_that_lacks_a_chunk_is_refused_before_anything_is_written()
    {
        var (server, agent, version) = await WithImageAsync(ImagingCalls.DiskContent(15));
        await using var _ = server;
        var lost = await FirstChunkAsync(server, version);
        File.Delete(server.Get<StoreFolder>().ChunkFile(lost));
        var (_, client) = await agent.CheckInAsync(await OrderAsync(agent, version));
        var problem = await (await client.GetAsync("agent/v1/deploy/manifest")).ShouldBeAsync(404, "chunkMissing");
        Assert.Equal(Fault.Image, problem.Fault);
        Assert.Contains("lab version 1", problem.Detail, StringComparison.Ordinal);
        await (await client.GetAsync($"agent/v1/deploy/chunks/{lost}")).ShouldBeAsync(404, "chunkMissing");
        Assert.Equal("lab version 1", Assert.Single(await CheckInTests.EventsAsync(server, "chunkMissing")).Subject);
    }

    [Fact]
    public async Task A_damaged_manifest_is_refused()
    {
        var (server, agent, version) = await WithImageAsync(ImagingCalls.DiskContent(16));
        await using var _ = server;
        var path = server.Get<StoreFolder>().ManifestFile(version.ManifestHash);
        var bytes = await File.ReadAllBytesAsync(path);
        bytes[bytes.Length / 2] ^= 1;
        await File.WriteAllBytesAsync(path, bytes);
        var (_, client) = await agent.CheckInAsync(await OrderAsync(agent, version));
        await (await client.GetAsync("agent/v1/deploy/manifest")).ShouldBeAsync(404, "manifestMissing");
    }

    [Fact]
    public async Task A_corrupt_chunk_that_an_agent_reports_goes_to_quarantine_and_the_next_capture_sends_it_again()
    {
        var disk = ImagingCalls.DiskContent(17);
        var (server, agent, version) = await WithImageAsync(disk);
        await using var _ = server;
        var folder = server.Get<StoreFolder>();
        var bad = await FirstChunkAsync(server, version);
        var frame = await File.ReadAllBytesAsync(folder.ChunkFile(bad));
        frame[^3] ^= 8;
        await File.WriteAllBytesAsync(folder.ChunkFile(bad), frame);

        var (answer, client) = await agent.CheckInAsync(await OrderAsync(agent, version));
        var failure = (await Assert.ThrowsAsync<FailureException>(() => client.DeployAsync(answer.Task.Deploy!))).Failure;
        Assert.Equal("chunkCorrupt", failure.Code);
        Assert.Equal(HttpStatusCode.NoContent, (await client.FinishAsync(HostTaskState.Failed, failure)).StatusCode);
        Assert.True(File.Exists(folder.QuarantineFile(bad)));
        Assert.Contains("quarantine", Assert.Single(await CheckInTests.EventsAsync(server, "chunkCorrupt")).Text, StringComparison.Ordinal);

        var source = await ScriptedAgent.WithHostAsync(server, "source-2");
        var (_, capture) = await source.CheckInAsync(await source.OrderCaptureAsync("lab"));
        var (_, sent) = await capture.CaptureAsync(disk);
        Assert.Equal(bad, Assert.Single(sent.Sent.Distinct()));
    }

    [Fact]
    public async Task A_good_chunk_that_a_machine_calls_corrupt_stays_and_the_machine_is_named_as_suspect()
    {
        var (server, agent, version) = await WithImageAsync(ImagingCalls.DiskContent(18));
        await using var _ = server;
        var good = await FirstChunkAsync(server, version);
        var (_, client) = await agent.CheckInAsync(await OrderAsync(agent, version));
        await client.FinishAsync(HostTaskState.Failed, new Failure("chunkCorrupt", Fault.Image, $"Chunk {good} is corrupt.", "Verify."));
        Assert.Equal(ChunkVerdict.Good, server.Get<ChunkStore>().Verify(good));
        Assert.Contains("memory and network", Assert.Single(await CheckInTests.EventsAsync(server, "chunkCorrupt")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_plan_for_another_disk_than_the_servers_rule_finds_is_refused()
    {
        var (server, agent, version) = await WithImageAsync(ImagingCalls.DiskContent(19));
        await using var _ = server;
        var task = await OrderAsync(agent, version);
        var (_, client) = await agent.CheckInAsync(task);
        Assert.False((await ShowAsync(client, Plan(disk: "vdb"))).Go);
        Assert.False((await ShowAsync(client, Plan(serial: "DISK-2"))).Go);
        Assert.False((await ShowAsync(client, Plan(size: 1))).Go);
        Assert.Null((await agent.TaskAsync(task)).Plan);
    }

    public static TheoryData<string, DiskInventory[]> UnfitTargets => new()
    {
        { "noDisk", [] },
        { "diskReadOnly", [ScriptedAgent.Disk("vda") with { ReadOnly = true }] },
        { "noDisk", [ScriptedAgent.Disk("sda", "STICK-1", removable: true), ScriptedAgent.Disk("sdb", "BOOT-1") with { BootMedium = true }] },
        { "diskAmbiguous", [ScriptedAgent.Disk("sda", "DISK-A"), ScriptedAgent.Disk("nvme0n1", "DISK-B")] },
    };

    [Theory]
    [MemberData(nameof(UnfitTargets))]
    public async Task A_machine_without_one_clear_target_is_told_no_manifest_and_the_task_fails_with_the_list(string code, DiskInventory[] disks)
    {
        var (server, agent, version) = await WithImageAsync(ImagingCalls.DiskContent(21, 1 << 20));
        await using var _ = server;
        var task = await OrderAsync(agent, version);
        agent.Inventory = agent.Inventory with { Disks = disks };
        var problem = await (await agent.SendCheckInAsync(agent.Request(await agent.BootAsync(task)))).ShouldBeAsync(409, code);
        Assert.All(disks, d => Assert.Contains(d.Name, problem.Detail, StringComparison.Ordinal));
        var stored = await agent.TaskAsync(task);
        Assert.Equal((HostTaskState.Failed, code, Fault.Disk), (stored.State, stored.Failure!.Code, stored.Failure.Fault));
    }

    [Fact]
    public async Task A_cancelled_deploy_gets_no_go()
    {
        var (server, agent, version) = await WithImageAsync(ImagingCalls.DiskContent(20));
        await using var _ = server;
        var task = await OrderAsync(agent, version);
        var (_, client) = await agent.CheckInAsync(task);
        await CheckInTests.CancelAsync(server, task);
        var reply = await ShowAsync(client, Plan());
        Assert.False(reply.Go);
        Assert.Contains("cancelled", reply.Reason, StringComparison.Ordinal);
        await (await client.GetAsync("agent/v1/deploy/manifest")).ShouldBeAsync(409, "cancelled");
    }

    internal static async Task<ChunkId> FirstChunkAsync(TestServer server, ImageVersion version)
    {
        var file = await File.ReadAllBytesAsync(server.Get<StoreFolder>().ManifestFile(version.ManifestHash));
        Assert.True(ManifestParser.TryParse(file, out var manifest, out _));
        return manifest.DataChunks().First().Id;
    }
}
