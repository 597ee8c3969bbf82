using System.Net;
using System.Net.WebSockets;
using ImageForge.Contracts;
using ImageForge.Multicast;
using ImageForge.Server.Tests.Agents;

namespace ImageForge.Server.Tests.Multicasting;

public sealed class StopTests
{
    private static readonly MulticastChoice s_auto = new();

    [Fact]
    public async Task A_stopped_session_sends_its_machines_and_those_of_older_jobs_over_to_http()
    {
        await using var server = await TestServer.StartAsync("Multicast:TickSeconds=0.2");
        var admin = await Room.OnLoopbackAsync(server, megabits: 5);
        var room = await Room.FurnishAsync(server, 31);
        var machines = await room.OrderAsync(3, s_auto);
        var receiving = machines[0].ReceiveAsync();
        await machines[1].CheckInAsync();
        await Wait.ForAsync(() => machines[0].Received.Count > 2);
        var stopped = await admin.PostAsync("api/v1/sessions/1/stop", null, HttpStatusCode.OK);
        Assert.Equal(("ended", "stopped"), (stopped.GetProperty("session").Text("state"), stopped.GetProperty("session").Text("endReason")));
        Assert.Equal(ReceiveEnd.Stopped, (await receiving).End);
        Assert.Equal("stopped", stopped.GetProperty("machines")[0].Text("outcome"));
        Assert.Contains("test-admin stopped it", Assert.Single(await CheckInTests.EventsAsync(server, "multicastEnded")).Text, StringComparison.Ordinal);

        // One that was offered the session comes too late, one that checks in now is offered none.
        await (await Upgrade.SendAsync(machines[1].Client)).ShouldBeAsync(409, "multicastStopped");
        Assert.Null((await machines[2].CheckInAsync()).Answer.Task.Deploy!.Multicast);
        var again = (await room.OrderAsync(1, s_auto))[0];
        Assert.Equal(2, (await again.CheckInAsync()).Answer.Task.Deploy!.Multicast!.Session);
    }

    [Fact]
    public async Task A_session_nobody_is_in_can_be_stopped_and_stopping_twice_changes_nothing()
    {
        await using var server = await TestServer.StartAsync();
        var admin = await Room.OnLoopbackAsync(server);
        var room = await Room.FurnishAsync(server, 32);
        await (await room.OrderAsync(1, s_auto))[0].CheckInAsync();
        var first = (await admin.PostAsync("api/v1/sessions/1/stop", null, HttpStatusCode.OK)).GetProperty("session");
        var second = (await admin.PostAsync("api/v1/sessions/1/stop", null, HttpStatusCode.OK)).GetProperty("session");
        Assert.Equal(first.GetRawText(), second.GetRawText());
        Assert.Single(await CheckInTests.EventsAsync(server, "multicastEnded"));
    }

    [Fact]
    public async Task A_session_ends_by_itself_when_no_task_can_join_it_any_more()
    {
        await using var server = await TestServer.StartAsync("Multicast:TickSeconds=0.05");
        var admin = await Room.OnLoopbackAsync(server);
        var room = await Room.FurnishAsync(server, 33);
        var machine = (await room.OrderAsync(1, s_auto))[0];
        await machine.CheckInAsync();
        await Task.Delay(1200);
        Assert.Equal("waiting", (await Sessions.GetAsync(admin, 1)).GetProperty("session").Text("state"));
        await machine.Client.FinishAsync(HostTaskState.Failed, new Failure("test", Fault.Server, "Ended.", "None."));
        await Sessions.UntilAsync(admin, 1, s => s.GetProperty("session").Text("state") == "ended");
    }

    [Fact]
    public async Task Machines_come_back_to_a_server_that_was_restarted_with_a_new_epoch()
    {
        await using var server = await TestServer.StartAsync("Multicast:TickSeconds=0.2");
        await Room.OnLoopbackAsync(server, megabits: 10);
        var room = await Room.FurnishAsync(server, 34);
        var machine = (await room.OrderAsync(1, s_auto))[0];
        var receiving = machine.ReceiveAsync();
        await Wait.ForAsync(() => machine.Received.Count > 8);
        var began = TimeProvider.System.GetTimestamp();
        await server.RestartAsync();
        Assert.True(TimeProvider.System.GetElapsedTime(began) < TimeSpan.FromSeconds(15), "the server waited for the stream to end");
        Assert.Equal(ReceiveEnd.ChannelLost, (await receiving).End);
        Assert.InRange(machine.Received.Count, 8, room.Numbers.Count - 1);
        await machine.CheckInAsync();
        (await machine.ReceiveAsync()).HasWhatTheStreamGives();
        var session = (await Sessions.GetAsync(await server.AdminAsync(), 1)).GetProperty("session");
        Assert.Equal(2, session.GetProperty("epoch").GetInt32());
    }
}

/// <summary>The opening handshake by hand, to read an answer that is none.</summary>
internal static class Upgrade
{
    public static Task<HttpResponseMessage> SendAsync(HttpClient client)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, "agent/v1/deploy/multicast") { Version = HttpVersion.Version11, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        request.Headers.TryAddWithoutValidation("Connection", "Upgrade");
        request.Headers.TryAddWithoutValidation("Upgrade", "websocket");
        request.Headers.TryAddWithoutValidation("Sec-WebSocket-Version", "13");
        request.Headers.TryAddWithoutValidation("Sec-WebSocket-Key", Convert.ToBase64String(System.Security.Cryptography.RandomNumberGenerator.GetBytes(16)));
        return client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }
}
