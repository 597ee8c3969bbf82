using System.Net;
using System.Net.Http.Json;
using ImageForge.Contracts;
using ImageForge.Server.Events;
using ImageForge.Server.Hosts;
using ImageForge.Server.Jobs;

namespace ImageForge.Server.Tests.Agents;

/// <summary>A boot token is traded for a task token, once.</summary>
public sealed class CheckInTests
{
    [Fact]
    public async Task A_boot_token_becomes_a_task_token_and_the_hosts_record_is_filled()
    {
        await using var server = await TestServer.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var task = await agent.OrderCaptureAsync("lab", 1 << 20);
        var (answer, client) = await agent.CheckInAsync(task);

        Assert.False(answer.Resumed);
        Assert.Equal(new TaskAssignment(task, JobKind.Capture, "pc-1", AfterTask.Reboot, new CaptureAssignment("lab", 1 << 20, 0, null), null), answer.Task);
        var stored = await agent.TaskAsync(task);
        Assert.Equal(HostTaskState.CheckedIn, stored.State);
        Assert.Equal("serial DISK-1", stored.TargetDisk);
        var host = (await server.Get<HostStore>().FindAsync(agent.Host.Id, default))!;
        Assert.Equal((agent.Inventory.Uuid, agent.Inventory.Serial), (host.Uuid, host.Serial));
        Assert.Equal("TestDisk", (await server.Get<HostStore>().FindInventoryAsync(host.Id, default))!.Disks[0].Model);
        Assert.False((await client.ReportAsync(HostTaskState.Preparing).ReadAsync(AgentJson.Default.ProgressReply)).Cancelled);
        Assert.Equal(HostTaskState.Preparing, (await agent.TaskAsync(task)).State);
    }

    [Fact]
    public async Task What_an_order_says_about_unclean_volumes_reaches_the_agent()
    {
        await using var server = await TestServer.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var order = await (await server.AdminAsync()).PostAsync("api/v1/jobs",
            new { kind = "capture", hosts = new[] { agent.Mac.ToString() }, image = "lab", capture = new { dirty = "refuse" } }, HttpStatusCode.Created);
        var (answer, _) = await agent.CheckInAsync(order.GetProperty("tasks")[0].GetProperty("id").GetInt64());
        Assert.Equal(DirtyVolumes.Refuse, answer.Task.Capture!.Choices!.Dirty);
    }

    [Fact]
    public async Task The_same_token_and_nonce_get_the_same_bytes_even_after_a_restart_and_a_rename()
    {
        await using var server = await TestServer.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var request = agent.Request(await agent.BootAsync(await agent.OrderCaptureAsync("lab")));
        using var first = await agent.SendCheckInAsync(request);
        Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        var bytes = await first.Content.ReadAsByteArrayAsync();
        await server.Get<HostStore>().RenameAsync(agent.Host.Id, "renamed", default);
        Assert.Equal(bytes, await (await agent.SendCheckInAsync(request)).Content.ReadAsByteArrayAsync());
        await server.RestartAsync();
        server.Clock.Advance(TimeSpan.FromSeconds(50));
        using var again = await agent.SendCheckInAsync(request);
        Assert.Equal(HttpStatusCode.OK, again.StatusCode);
        Assert.Equal(bytes, await again.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task A_repetition_after_a_minute_is_too_late()
    {
        await using var server = await TestServer.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var request = agent.Request(await agent.BootAsync(await agent.OrderCaptureAsync("lab")));
        (await agent.SendCheckInAsync(request)).EnsureSuccessStatusCode();
        server.Clock.Advance(TimeSpan.FromSeconds(61));
        await (await agent.SendCheckInAsync(request)).ShouldBeAsync(401, "bootTokenExpired");
    }

    [Fact]
    public async Task Another_nonce_is_refused_and_alarmed_and_the_first_agent_goes_on()
    {
        await using var server = await TestServer.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var task = await agent.OrderCaptureAsync("lab");
        var boot = await agent.BootAsync(task);
        var answer = await agent.SendCheckInAsync(agent.Request(boot)).ReadAsync(AgentJson.Default.CheckInResponse);
        await (await agent.SendCheckInAsync(agent.Request(boot))).ShouldBeAsync(403, "bootTokenCopied");

        var alarm = Assert.Single(await EventsAsync(server, "checkInRefused"));
        Assert.Equal(agent.Mac.ToString(), alarm.Subject);
        Assert.Contains("already used", alarm.Text, StringComparison.Ordinal);
        (await server.WithToken(answer.TaskToken).ReportAsync(HostTaskState.Preparing)).EnsureSuccessStatusCode();
    }

    [Fact]
    public async Task The_first_check_in_ends_the_tasks_other_boot_tokens()
    {
        await using var server = await TestServer.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var task = await agent.OrderCaptureAsync("lab");
        var (older, newer) = (await agent.BootAsync(task), await agent.BootAsync(task));
        (await agent.SendCheckInAsync(agent.Request(newer))).EnsureSuccessStatusCode();
        await (await agent.SendCheckInAsync(agent.Request(older))).ShouldBeAsync(401, "bootTokenUnknown");
    }

    [Fact]
    public async Task An_old_token_and_an_invented_one_are_refused()
    {
        await using var server = await TestServer.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var boot = await agent.BootAsync(await agent.OrderCaptureAsync("lab"));
        server.Clock.Advance(TimeSpan.FromMinutes(11));
        await (await agent.SendCheckInAsync(agent.Request(boot))).ShouldBeAsync(401, "bootTokenExpired");
        await (await agent.SendCheckInAsync(agent.Request(ScriptedAgent.Nonce()))).ShouldBeAsync(401, "bootTokenUnknown");
    }

    [Fact]
    public async Task Plain_http_is_refused()
    {
        await using var server = await TestServer.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var request = agent.Request(await agent.BootAsync(await agent.OrderCaptureAsync("lab")));
        using var response = await server.Http().PostAsync("agent/v1/check-in", JsonContent.Create(request, AgentJson.Default.CheckInRequest));
        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        (await agent.SendCheckInAsync(request)).EnsureSuccessStatusCode();
    }

    internal static async Task<List<Event>> EventsAsync(TestServer server, string kind) =>
        [.. (await server.Get<EventLog>().ListAsync(ImageForge.Server.Data.Paging.Of(0, 1000), default)).Items.Where(e => e.Kind == kind)];

    internal static Task CancelAsync(TestServer server, long task) =>
        server.Get<ImageForge.Server.Data.Database>().WriteAsync((connection, transaction) =>
            Dapper.SqlMapper.ExecuteAsync(connection, "UPDATE host_tasks SET cancel_requested = 1 WHERE id = @task", new { task }, transaction), default);
}
