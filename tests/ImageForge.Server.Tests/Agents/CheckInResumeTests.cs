using ImageForge.Contracts;
using ImageForge.Server.Boot;
using ImageForge.Server.Jobs;

namespace ImageForge.Server.Tests.Agents;

/// <summary>A machine that comes back: it resumes, runs out of attempts, or hears of a cancel.</summary>
public sealed class CheckInResumeTests
{
    [Fact]
    public async Task A_second_boot_resumes_and_the_first_agents_token_is_dead()
    {
        await using var server = await TestServer.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var task = await agent.OrderCaptureAsync("lab");
        var (_, old) = await agent.CheckInAsync(task);
        (await old.ReportAsync(HostTaskState.Transferring, 10)).EnsureSuccessStatusCode();
        var (answer, client) = await agent.CheckInAsync(task);

        Assert.True(answer.Resumed);
        Assert.Equal(HostTaskState.CheckedIn, (await agent.TaskAsync(task)).State);
        await (await old.ReportAsync(HostTaskState.Transferring, 11)).ShouldBeAsync(401, "tokenRevoked");
        await (await old.PostAsync("agent/v1/capture/chunks/missing", new ByteArrayContent(new byte[32]))).ShouldBeAsync(401, "tokenRevoked");
        (await client.ReportAsync(HostTaskState.Transferring, 11)).EnsureSuccessStatusCode();
    }

    [Fact]
    public async Task A_resume_onto_another_disk_is_refused_and_changes_nothing()
    {
        await using var server = await TestServer.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var task = await agent.OrderCaptureAsync("lab");
        var (_, client) = await agent.CheckInAsync(task);
        agent.Inventory = ScriptedAgent.InventoryOf(ScriptedAgent.Disk(serial: "DISK-2"));
        var problem = await (await agent.SendCheckInAsync(agent.Request(await agent.BootAsync(task)))).ShouldBeAsync(403, "targetDiskMismatch");
        Assert.Contains("DISK-1", problem.Detail, StringComparison.Ordinal);
        Assert.Contains("DISK-2", problem.Detail, StringComparison.Ordinal);
        (await client.ReportAsync(HostTaskState.Transferring)).EnsureSuccessStatusCode();
    }

    [Fact]
    public async Task Five_resumes_without_progress_are_allowed_the_sixth_fails_the_task()
    {
        await using var server = await TestServer.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var task = await agent.OrderCaptureAsync("lab");
        await agent.CheckInAsync(task);
        for (var i = 0; i < 5; i++)
            Assert.True((await agent.CheckInAsync(task)).Answer.Resumed);
        await (await agent.SendCheckInAsync(agent.Request(await agent.BootAsync(task)))).ShouldBeAsync(409, "noProgress");
        var stored = await agent.TaskAsync(task);
        Assert.Equal((HostTaskState.Failed, "noProgress"), (stored.State, stored.Failure?.Code));
    }

    [Fact]
    public async Task Progress_in_between_gives_new_attempts()
    {
        await using var server = await TestServer.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var task = await agent.OrderCaptureAsync("lab");
        await agent.CheckInAsync(task);
        for (var i = 1; i <= 12; i++)
        {
            var (_, client) = await agent.CheckInAsync(task);
            if (i % 4 == 0)
                (await client.ReportAsync(HostTaskState.Transferring, i)).EnsureSuccessStatusCode();
        }
        Assert.Equal(HostTaskState.Transferring, (await agent.TaskAsync(task)).State);
        Assert.InRange((await agent.TaskAsync(task)).ResumesWithoutProgress, 1, 5);
    }

    [Fact]
    public async Task A_machine_that_restarts_after_a_cancel_confirms_it()
    {
        await using var server = await TestServer.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var task = await agent.OrderCaptureAsync("lab");
        var (_, client) = await agent.CheckInAsync(task);
        await CheckInTests.CancelAsync(server, task);
        await (await agent.SendCheckInAsync(agent.Request(await agent.BootAsync(task)))).ShouldBeAsync(409, "cancelled");
        var ended = await agent.TaskAsync(task);
        Assert.Equal(HostTaskState.Cancelled, ended.State);
        Assert.NotNull(ended.FinishedAt);
        Assert.True((await client.ReportAsync(HostTaskState.Transferring).ReadAsync(AgentJson.Default.ProgressReply)).Cancelled);
    }

    [Fact]
    public async Task After_the_clock_was_set_back_an_agent_of_the_future_counts_as_not_heard()
    {
        await using var server = await TestServer.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var task = await agent.OrderCaptureAsync("lab");
        await agent.CheckInAsync(task);
        var decider = server.Get<BootDecider>();
        Assert.Equal(BootWay.Wait, (await decider.DecideAsync(agent.Mac, default)).Way);
        server.Clock.Advance(TimeSpan.FromDays(-400));
        Assert.Equal(BootWay.Agent, (await decider.DecideAsync(agent.Mac, default)).Way);

        await CheckInTests.CancelAsync(server, task);
        await server.Get<HostTaskStore>().EndSilentCancelledAsync(TimeSpan.FromSeconds(30), default);
        Assert.Equal(HostTaskState.Cancelled, (await agent.TaskAsync(task)).State);
    }
}
