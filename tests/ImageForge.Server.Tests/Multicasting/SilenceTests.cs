using System.Net;
using System.Net.WebSockets;
using ImageForge.Contracts;
using ImageForge.Server.Tests.Agents;

namespace ImageForge.Server.Tests.Multicasting;

public sealed class SilenceTests
{
    /// <summary>A member that joins, lets the stream run for a moment and says that nothing of it arrives.</summary>
    private static async Task HearNothingAsync(Machine machine, int chunks)
    {
        await machine.CheckInAsync();
        using var socket = await machine.ConnectAsync();
        await socket.SendAsync(Sessions.Join(chunks), WebSocketMessageType.Binary, true, default);
        await Task.Delay(700);
        await socket.SendAsync(Sessions.Leave(2), WebSocketMessageType.Binary, true, default);
        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, default);
        await Task.Delay(300);
    }

    [Fact]
    public async Task A_machine_that_hears_nothing_is_told_why_in_events_task_and_session()
    {
        await using var server = await TestServer.StartAsync("Multicast:TickSeconds=0.2");
        var admin = await Room.OnLoopbackAsync(server, megabits: 5);
        var room = await Room.FurnishAsync(server, 61);
        var machine = (await room.OrderAsync(1, new MulticastChoice()))[0];
        await HearNothingAsync(machine, room.Numbers.Count);
        var member = (await Sessions.UntilAsync(admin, 1, s => !s.GetProperty("machines")[0].GetProperty("present").GetBoolean())).GetProperty("machines")[0];
        Assert.Equal("heardNothing", member.Text("outcome"));
        Assert.Contains($"{machine.Host.Name} (127.0.0.1) heard nothing of the stream to 239.255.1", member.Text("cause"), StringComparison.Ordinal);
        Assert.Contains("IGMP querier", member.Text("cure"), StringComparison.Ordinal);

        var told = Assert.Single(await CheckInTests.EventsAsync(server, "multicastNotHeard"));
        Assert.Equal((machine.Host.Name, $"{member.Text("cause")} {member.Text("cure")}"), (told.Subject, told.Text));
        var detail = await admin.GetAsync($"api/v1/host-tasks/{machine.TaskId}", HttpStatusCode.OK);
        Assert.Equal(("heardNothing", member.Text("cause")), (detail.GetProperty("task").GetProperty("multicast").Text("state"), detail.GetProperty("task").GetProperty("multicast").Text("cause")));
        Assert.Contains(detail.GetProperty("events").EnumerateArray(), e => e.Text("text").StartsWith("Goes on over HTTP. ", StringComparison.Ordinal));
        Assert.Equal("checkedIn", detail.GetProperty("task").Text("state"));
    }

    [Fact]
    public async Task One_deaf_machine_among_others_is_told_from_a_stream_that_reaches_nobody()
    {
        await using var server = await TestServer.StartAsync("Multicast:TickSeconds=0.2");
        var admin = await Room.OnLoopbackAsync(server, megabits: 5);
        var room = await Room.FurnishAsync(server, 62);
        var machines = await room.OrderAsync(2, new MulticastChoice());
        using var cancel = new CancellationTokenSource();
        var receiving = machines[0].ReceiveAsync(cancel.Token);
        await Wait.ForAsync(() => machines[0].Received.Count > 0);
        await HearNothingAsync(machines[1], room.Numbers.Count);
        var told = Assert.Single(await CheckInTests.EventsAsync(server, "multicastNotHeard"));
        Assert.Contains("one other machine in its network hears it", told.Text, StringComparison.Ordinal);
        Assert.True((await Sessions.GetAsync(admin, 1)).GetProperty("machines")[0].GetProperty("present").GetBoolean());
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => receiving);
    }

    [Fact]
    public async Task A_second_connection_of_the_same_machine_takes_the_place_of_the_first()
    {
        await using var server = await TestServer.StartAsync("Multicast:TickSeconds=0.2");
        var admin = await Room.OnLoopbackAsync(server, megabits: 5);
        var room = await Room.FurnishAsync(server, 63);
        var machine = (await room.OrderAsync(1, new MulticastChoice()))[0];
        await machine.CheckInAsync();
        using var first = await machine.ConnectAsync();
        await first.SendAsync(Sessions.Join(room.Numbers.Count), WebSocketMessageType.Binary, true, default);
        using var cancel = new CancellationTokenSource();
        var receiving = machine.ReceiveAsync(cancel.Token);
        await Wait.ForAsync(() => machine.Received.Count > 3);
        var session = await Sessions.GetAsync(admin, 1);
        Assert.Equal(1, session.GetProperty("session").GetProperty("sender").GetProperty("machines").GetInt32());
        Assert.True(Assert.Single(session.GetProperty("machines").EnumerateArray()).GetProperty("present").GetBoolean());
        await Assert.ThrowsAnyAsync<WebSocketException>(async () =>
        {
            var buffer = new byte[4096];
            while ((await first.ReceiveAsync(buffer, default)).MessageType != WebSocketMessageType.Close)
            {
            }
        });
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => receiving);
    }

    [Fact]
    public async Task A_sender_that_cannot_send_ends_its_session_with_the_reason_and_its_machines_go_on()
    {
        await using var server = await TestServer.StartAsync("Multicast:TickSeconds=0.2");
        var admin = await server.AdminAsync();
        // What no check lets through: the kernel refuses such a TTL.
        await server.Get<ImageForge.Server.Multicasting.MulticastSettingsDesk>().ChangeAsync(new ImageForge.Server.Multicasting.MulticastSettings(Interface: "lo", Ttl: 999), "test", default);
        var room = await Room.FurnishAsync(server, 64, 1 << 20);
        var outcome = await (await room.OrderAsync(1, new MulticastChoice()))[0].ReceiveAsync();
        Assert.Contains(outcome.End, (Multicast.ReceiveEnd[])[Multicast.ReceiveEnd.Stopped, Multicast.ReceiveEnd.ChannelLost]);
        var session = (await Sessions.UntilAsync(admin, 1, s => s.GetProperty("session").Text("state") == "ended")).GetProperty("session");
        Assert.Equal("failed", session.Text("endReason"));
        Assert.Contains("cannot send to 239.255.73.1 on lo", session.Text("endText"), StringComparison.Ordinal);
        // Told when its machines have left, a moment after it ended.
        for (var attempt = 0; attempt < 200 && (await CheckInTests.EventsAsync(server, "multicastEnded")).Count == 0; attempt++)
            await Task.Delay(50);
        Assert.Contains("cannot send", Assert.Single(await CheckInTests.EventsAsync(server, "multicastEnded")).Text, StringComparison.Ordinal);
    }
}
