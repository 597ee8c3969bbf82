using System.Net;
using ImageForge.Contracts;
using ImageForge.Multicast;
using ImageForge.Server.Multicasting;
using ImageForge.Server.Tests.Agents;

namespace ImageForge.Server.Tests.Multicasting;

public sealed class JoinTests
{
    private static readonly MulticastChoice s_auto = new();

    [Fact]
    public async Task Every_machine_of_a_room_gets_every_chunk_from_one_session()
    {
        await using var server = await TestServer.StartAsync("Multicast:LingerSeconds=1", "Multicast:TickSeconds=0.2");
        var admin = await Room.OnLoopbackAsync(server);
        var room = await Room.FurnishAsync(server, 11);
        var machines = await room.OrderAsync(3, s_auto);
        var outcomes = await Task.WhenAll(machines.Select(m => m.ReceiveAsync()));
        Assert.All(outcomes, o => o.HasWhatTheStreamGives());
        Assert.All(machines, m => Assert.Equal((room.Numbers.Count, 0), (m.Received.Count, m.Received.Wrong)));

        var ended = await Sessions.UntilAsync(admin, 1, s => s.GetProperty("session").Text("state") == "ended");
        var session = ended.GetProperty("session");
        Assert.Equal(("done", 1, "lab"), (session.Text("endReason"), session.GetProperty("epoch").GetInt32(), session.Text("image")));
        Assert.True(session.GetProperty("bytesSent").GetInt64() > 1 << 20);
        Assert.All(ended.GetProperty("machines").EnumerateArray(), m => Assert.Contains(m.Text("outcome"), (string[])["complete", "goesOnOverHttp"]));
        Assert.Contains("sends lab version 1", Assert.Single(await CheckInTests.EventsAsync(server, "multicastStarted")).Text, StringComparison.Ordinal);
        Assert.Contains("of its 3 machines", Assert.Single(await CheckInTests.EventsAsync(server, "multicastEnded")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_late_machine_of_another_job_joins_the_running_session_and_gets_what_it_missed()
    {
        await using var server = await TestServer.StartAsync();
        var admin = await Room.OnLoopbackAsync(server, megabits: 20);
        // So large that what the late one has missed is more than a stream leaves to HTTP.
        var room = await Room.FurnishAsync(server, 12, 12 << 20);
        var first = (await room.OrderAsync(1, s_auto))[0];
        var receiving = first.ReceiveAsync();
        await Wait.ForAsync(() => first.Received.Count > room.Numbers.Count / 4);
        Assert.False(receiving.IsCompleted, "the stream was over before the second machine came");
        var late = (await room.OrderAsync(1, s_auto))[0];
        (await late.ReceiveAsync()).HasWhatTheStreamGives();
        (await receiving).HasWhatTheStreamGives();
        Assert.Equal(1, (await admin.GetAsync("api/v1/sessions", HttpStatusCode.OK)).GetProperty("total").GetInt32());
    }

    [Fact]
    public async Task A_machine_that_has_half_is_sent_the_other_half()
    {
        await using var server = await TestServer.StartAsync();
        var admin = await Room.OnLoopbackAsync(server);
        var room = await Room.FurnishAsync(server, 13, 16 << 20);
        var machine = (await room.OrderAsync(1, s_auto))[0];
        machine.Received.Hold(Enumerable.Range(0, room.Numbers.Count).Where(c => c % 2 == 0));
        (await machine.ReceiveAsync()).HasWhatTheStreamGives();
        var sent = (await Sessions.GetAsync(admin, 1)).GetProperty("session").GetProperty("bytesSent").GetInt64();
        Assert.InRange((double)sent / room.Version.StoredBytes, 0.5, 0.7);
    }

    [Fact]
    public async Task The_live_figures_name_the_machines_and_the_task_says_which_session_it_is_in()
    {
        await using var server = await TestServer.StartAsync();
        var admin = await Room.OnLoopbackAsync(server, megabits: 10);
        var room = await Room.FurnishAsync(server, 14);
        var machines = await room.OrderAsync(2, s_auto);
        using var cancel = new CancellationTokenSource();
        var receiving = machines.Select(m => m.ReceiveAsync(cancel.Token)).ToArray();
        await Wait.ForAsync(() => machines.All(m => m.Received.Count > 4));
        var detail = await Sessions.UntilAsync(admin, 1, s => s.GetProperty("machines").EnumerateArray().Count(m => m.GetProperty("bitsPerSecond").GetDouble() > 0) == 2);
        var sender = detail.GetProperty("session").GetProperty("sender");
        Assert.Equal(("sending", "lo", 1, 2, room.Numbers.Count), (sender.Text("state"), sender.Text("interface"), sender.GetProperty("ttl").GetInt32(), sender.GetProperty("machines").GetInt32(), sender.GetProperty("chunks").GetInt32()));
        Assert.Equal(10e6, sender.GetProperty("capBitsPerSecond").GetDouble());
        Assert.StartsWith("239.255.1", sender.Text("group"), StringComparison.Ordinal);
        Assert.All(detail.GetProperty("machines").EnumerateArray(), m =>
        {
            Assert.True(m.GetProperty("present").GetBoolean());
            Assert.True(m.GetProperty("inStep").GetBoolean());
            Assert.InRange(m.GetProperty("chunksLacking").GetInt32(), 1, room.Numbers.Count);
        });
        var task = (await admin.GetAsync($"api/v1/host-tasks/{machines[0].TaskId}", HttpStatusCode.OK)).GetProperty("task").GetProperty("multicast");
        Assert.Equal((1, "member"), (task.GetProperty("session").GetInt32(), task.Text("state")));
        await cancel.CancelAsync();
        foreach (var one in receiving)
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => one);
        // They said so before they hung up.
        var left = await Sessions.UntilAsync(admin, 1, s => s.GetProperty("machines").EnumerateArray().All(m => !m.GetProperty("present").GetBoolean()));
        Assert.All(left.GetProperty("machines").EnumerateArray(), m => Assert.Equal("stopped", m.Text("outcome")));
    }

    [Fact]
    public async Task A_machine_that_cannot_keep_up_is_named_with_the_reason_and_the_other_does_not_wait_for_it()
    {
        await using var server = await TestServer.StartAsync("Multicast:TickSeconds=0.1");
        var admin = await Room.OnLoopbackAsync(server, megabits: 40);
        var room = await Room.FurnishAsync(server, 17, 32 << 20);
        var machines = await room.OrderAsync(3, s_auto);
        machines[2].Received.Slowness = TimeSpan.FromMilliseconds(400);
        foreach (var machine in machines)
            await machine.CheckInAsync();
        using var cancel = new CancellationTokenSource();
        var slow = machines[2].ReceiveAsync(cancel.Token);
        var fast = machines.Take(2).Select(m => m.ReceiveAsync()).ToArray();
        var behind = (await Sessions.UntilAsync(admin, 1, s => s.GetProperty("machines").EnumerateArray().Any(m => !m.GetProperty("inStep").GetBoolean())))
            .GetProperty("machines").EnumerateArray().Single(m => !m.GetProperty("inStep").GetBoolean());
        Assert.Equal((machines[2].Host.Name, "disk"), (behind.Text("host"), behind.Text("limit")));
        Assert.Contains("Nobody waits for it", behind.Text("behind"), StringComparison.Ordinal);
        Assert.All(await Task.WhenAll(fast), o => o.HasWhatTheStreamGives());
        Assert.True(machines[2].Received.Count < room.Numbers.Count / 2, "the slow one held nobody up because it was not slow");
        var told = await CheckInTests.EventsAsync(server, "multicastOutOfStep");
        Assert.Equal(machines[2].Host.Name, Assert.Single(told).Subject);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => slow);
    }

    [Fact]
    public async Task A_task_that_is_cancelled_leaves_the_session()
    {
        await using var server = await TestServer.StartAsync("Multicast:TickSeconds=0.2");
        var admin = await Room.OnLoopbackAsync(server, megabits: 5);
        var room = await Room.FurnishAsync(server, 15);
        var machine = (await room.OrderAsync(1, s_auto))[0];
        var receiving = machine.ReceiveAsync();
        await Wait.ForAsync(() => machine.Received.Count > 2);
        await admin.PostAsync($"api/v1/jobs/{machine.Job}/cancel", null, HttpStatusCode.OK);
        await Sessions.UntilAsync(admin, 1, s => !s.GetProperty("machines")[0].GetProperty("present").GetBoolean());
        Assert.NotEqual(ReceiveEnd.Complete, (await receiving).End);
    }

    [Fact]
    public async Task A_machine_whose_cable_is_pulled_is_forgotten_in_seconds()
    {
        await using var server = await TestServer.StartAsync("Multicast:TickSeconds=0.2", "Multicast:LingerSeconds=1");
        var admin = await Room.OnLoopbackAsync(server, megabits: 5);
        var room = await Room.FurnishAsync(server, 16);
        var machine = (await room.OrderAsync(1, s_auto))[0];
        await machine.CheckInAsync();
        // It says that it lacks everything, and then nothing more: no answer to a ping either.
        using var socket = await machine.ConnectAsync();
        await socket.SendAsync(Sessions.Join(room.Numbers.Count), System.Net.WebSockets.WebSocketMessageType.Binary, true, default);
        await Sessions.UntilAsync(admin, 1, s => s.GetProperty("machines") is { } m && m.GetArrayLength() == 1 && m[0].GetProperty("present").GetBoolean());
        var gone = await Sessions.UntilAsync(admin, 1, s => !s.GetProperty("machines")[0].GetProperty("present").GetBoolean(), seconds: 10);
        Assert.Contains(gone.GetProperty("machines")[0].Text("outcome"), (string[])["silent", "lost"]);
        await Sessions.UntilAsync(admin, 1, s => s.GetProperty("session").Text("state") == "ended");
    }
}
