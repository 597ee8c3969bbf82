using System.Net;
using ImageForge.Contracts;
using ImageForge.Multicast;

namespace ImageForge.Server.Tests.Multicasting;

public sealed class ScheduledCastTests
{
    private static MulticastChoice Scheduled(int? hosts = null, int? minutes = null) => new(MulticastStart.Scheduled, hosts, minutes);

    private static async Task<(Room Room, HttpClient Admin)> FurnishAsync(TestServer server, int seed) => (await Room.FurnishAsync(server, seed), await Room.OnLoopbackAsync(server));

    private static Task<System.Text.Json.JsonElement> WaitingAsync(HttpClient admin, int machines) =>
        Sessions.UntilAsync(admin, 1, s => s.GetProperty("session") is var session && session.Text("state") == "waiting" && session.GetProperty("sender") is { ValueKind: System.Text.Json.JsonValueKind.Object } sender
            && sender.Text("state") == "waiting" && s.GetProperty("machines").EnumerateArray().Count(m => m.GetProperty("present").GetBoolean()) == machines);

    private static async Task AllCompleteAsync(IEnumerable<Task<ReceiveOutcome>> receiving) => Assert.All(await Task.WhenAll(receiving), o => o.HasWhatTheStreamGives());

    [Fact]
    public async Task It_sends_nothing_before_the_last_machine_it_waits_for_is_there()
    {
        await using var server = await TestServer.StartAsync("Multicast:TickSeconds=0.2");
        var (room, admin) = await FurnishAsync(server, 21);
        var machines = await room.OrderAsync(3, Scheduled());
        var receiving = machines.Take(2).Select(m => m.ReceiveAsync()).ToList();
        await WaitingAsync(admin, 2);
        await Task.Delay(500);
        Assert.All(machines, m => Assert.Equal(0, m.Received.Count));
        receiving.Add(machines[2].ReceiveAsync());
        await AllCompleteAsync(receiving);
    }

    [Fact]
    public async Task It_begins_with_whoever_is_there_when_its_minutes_are_over()
    {
        await using var server = await TestServer.StartAsync("Multicast:TickSeconds=0.2");
        var (room, admin) = await FurnishAsync(server, 22);
        var machines = await room.OrderAsync(2, Scheduled(minutes: 3));
        var receiving = machines[0].ReceiveAsync();
        await WaitingAsync(admin, 1);
        var startsAt = (await Sessions.GetAsync(admin, 1)).GetProperty("session").GetProperty("startsAt").GetDateTimeOffset();
        Assert.InRange(startsAt - server.Clock.GetUtcNow(), TimeSpan.FromMinutes(2.5), TimeSpan.FromMinutes(3));
        server.Clock.Advance(TimeSpan.FromMinutes(2));
        await Task.Delay(400);
        Assert.Equal(0, machines[0].Received.Count);
        server.Clock.Advance(TimeSpan.FromMinutes(1));
        await AllCompleteAsync([receiving]);
    }

    [Fact]
    public async Task Somebody_who_says_start_now_is_obeyed()
    {
        await using var server = await TestServer.StartAsync("Multicast:TickSeconds=0.2");
        var (room, admin) = await FurnishAsync(server, 23);
        var machines = await room.OrderAsync(5, Scheduled(hosts: 4));
        var receiving = machines.Take(2).Select(m => m.ReceiveAsync()).ToList();
        await WaitingAsync(admin, 2);
        var started = await admin.PostAsync("api/v1/sessions/1/start", null, HttpStatusCode.OK);
        Assert.Equal("running", started.GetProperty("session").Text("state"));
        await AllCompleteAsync(receiving);
        // A late one does not make anybody wait again.
        await AllCompleteAsync([machines[2].ReceiveAsync()]);
        var text = Assert.Single(await Agents.CheckInTests.EventsAsync(server, "multicastStarted")).Text;
        Assert.Contains("test-admin started multicast session 1 of lab version 1 with 2 machines", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_waits_for_a_machine_whose_task_has_been_cancelled()
    {
        await using var server = await TestServer.StartAsync("Multicast:TickSeconds=0.2");
        var (room, admin) = await FurnishAsync(server, 24);
        var machines = await room.OrderAsync(3, Scheduled());
        var receiving = machines.Take(2).Select(m => m.ReceiveAsync()).ToList();
        await WaitingAsync(admin, 2);
        await server.Get<ImageForge.Server.Jobs.HostTaskStore>().CancelAsync(machines[2].TaskId, "test", default);
        await AllCompleteAsync(receiving);
    }

    [Fact]
    public async Task A_machine_that_comes_after_the_end_reopens_the_session_of_its_job_and_waits_for_nobody()
    {
        await using var server = await TestServer.StartAsync("Multicast:TickSeconds=0.2", "Multicast:LingerSeconds=0.3");
        var (room, admin) = await FurnishAsync(server, 25);
        var machines = await room.OrderAsync(3, Scheduled(hosts: 2));
        await AllCompleteAsync(machines.Take(2).Select(m => m.ReceiveAsync()));
        await Sessions.UntilAsync(admin, 1, s => s.GetProperty("session").Text("state") == "ended");
        await AllCompleteAsync([machines[2].ReceiveAsync()]);
        Assert.Equal(2, (await Sessions.GetAsync(admin, 1)).GetProperty("session").GetProperty("epoch").GetInt32());
    }

    [Fact]
    public async Task Start_now_of_a_session_that_has_ended_is_a_conflict_and_of_none_not_found()
    {
        await using var server = await TestServer.StartAsync("Multicast:TickSeconds=0.2", "Multicast:LingerSeconds=0.2");
        var (room, admin) = await FurnishAsync(server, 26);
        await AllCompleteAsync([(await room.OrderAsync(1, Scheduled()))[0].ReceiveAsync()]);
        await Sessions.UntilAsync(admin, 1, s => s.GetProperty("session").Text("state") == "ended");
        Assert.Equal("sessionEnded", (await admin.PostAsync("api/v1/sessions/1/start", null, HttpStatusCode.Conflict)).Text("code"));
        Assert.Equal("noSuchSession", (await admin.PostAsync("api/v1/sessions/9/start", null, HttpStatusCode.NotFound)).Text("code"));
        Assert.Equal("noSuchSession", (await admin.PostAsync("api/v1/sessions/9/stop", null, HttpStatusCode.NotFound)).Text("code"));
        Assert.Equal("noSuchSession", (await admin.GetAsync("api/v1/sessions/9", HttpStatusCode.NotFound)).Text("code"));
    }
}
