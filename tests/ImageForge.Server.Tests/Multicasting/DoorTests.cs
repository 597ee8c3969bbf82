using ImageForge.Contracts;
using ImageForge.Server.Tests.Agents;

namespace ImageForge.Server.Tests.Multicasting;

/// <summary>Who is let into a session.</summary>
public sealed class DoorTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    [Fact]
    public async Task A_task_whose_job_does_not_ask_for_multicast_is_turned_away()
    {
        var room = await Room.FurnishAsync(fixture.Server, 41, 1 << 20, "quiet");
        var machine = (await room.OrderAsync(1, null))[0];
        await machine.CheckInAsync();
        var problem = await (await Upgrade.SendAsync(machine.Client)).ShouldBeAsync(403, "notMulticast");
        Assert.Contains($"Job {machine.Job}", problem.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_capture_is_turned_away()
    {
        var agent = await ScriptedAgent.WithHostAsync(fixture.Server, "capturing");
        var (_, client) = await agent.CheckInAsync(await agent.OrderCaptureAsync("some"));
        await (await Upgrade.SendAsync(client)).ShouldBeAsync(403, "wrongTask");
    }

    [Fact]
    public async Task Nobody_without_a_task_token_comes_in()
    {
        await (await Upgrade.SendAsync(fixture.Server.WithToken(new string('x', 43)))).ShouldBeAsync(401, "tokenRevoked");
        await (await Upgrade.SendAsync(fixture.Server.Anonymous())).ShouldBeAsync(401, "tokenRevoked");
    }

    [Fact]
    public async Task A_request_that_is_no_web_socket_is_told_so()
    {
        var room = await Room.FurnishAsync(fixture.Server, 42, 1 << 20, "plain");
        var machine = (await room.OrderAsync(1, new MulticastChoice()))[0];
        await machine.CheckInAsync();
        await (await machine.Client.GetAsync("agent/v1/deploy/multicast")).ShouldBeAsync(400, "webSocketOnly");
    }

    [Fact]
    public async Task A_cancelled_task_and_one_that_has_ended_do_not_come_in()
    {
        var room = await Room.FurnishAsync(fixture.Server, 43, 1 << 20, "over");
        var machines = await room.OrderAsync(2, new MulticastChoice());
        foreach (var machine in machines)
            await machine.CheckInAsync();
        await CheckInTests.CancelAsync(fixture.Server, machines[0].TaskId);
        await (await Upgrade.SendAsync(machines[0].Client)).ShouldBeAsync(409, "cancelled");
        await machines[1].Client.FinishAsync(HostTaskState.Failed, new Failure("test", Fault.Server, "Ended.", "None."));
        await (await Upgrade.SendAsync(machines[1].Client)).ShouldBeAsync(401, "taskEnded");
    }

    [Fact]
    public async Task An_interface_that_went_away_is_told_with_a_cure_and_the_session_stays_for_later()
    {
        await using var server = await TestServer.StartAsync();
        await server.Get<ImageForge.Server.Multicasting.MulticastSettingsDesk>().ChangeAsync(new ImageForge.Server.Multicasting.MulticastSettings(Interface: "gone0"), "test", default);
        var room = await Room.FurnishAsync(server, 44, 1 << 20);
        var machine = (await room.OrderAsync(1, new MulticastChoice()))[0];
        await machine.CheckInAsync();
        var problem = await (await Upgrade.SendAsync(machine.Client)).ShouldBeAsync(503, "noMulticastInterface");
        Assert.Contains("gone0", problem.Detail, StringComparison.Ordinal);
        await Room.OnLoopbackAsync(server);
        (await machine.ReceiveAsync()).HasWhatTheStreamGives();
    }
}
