using System.Net;
using System.Net.Http.Json;
using ImageForge.Contracts;
using ImageForge.Server.Multicasting;

namespace ImageForge.Server.Tests.Multicasting;

public sealed class BudgetTests
{
    [Fact]
    public async Task Two_sessions_share_the_bandwidth_and_the_last_one_has_all_of_it()
    {
        const double total = 5e6;
        await using var server = await TestServer.StartAsync("Multicast:TickSeconds=0.2", "Multicast:LingerSeconds=0.2");
        var admin = await Room.OnLoopbackAsync(server, total / 1e6);
        var (one, other) = (await Room.FurnishAsync(server, 71), await Room.FurnishAsync(server, 72, 2 << 20, "small"));
        var first = (await one.OrderAsync(1, new MulticastChoice()))[0];
        var second = (await other.OrderAsync(1, new MulticastChoice()))[0];
        await second.CheckInAsync();
        var desk = server.Get<SessionDesk>();
        var receiving = first.ReceiveAsync();
        await Wait.ForAsync(() => first.Received.Count > 0);
        Assert.Equal(total, desk.Live.Single().Cap!.Value, 1.0);

        var brief = second.ReceiveAsync();
        await Wait.ForAsync(() => desk.Live.Count == 2 && second.Received.Count > 0);
        Assert.InRange(desk.Live.Sum(s => s.Cap!.Value), total * 0.999, total * 1.001);
        Assert.Equal(2, desk.Live.Select(s => s.Group).Distinct().Count());
        (await brief).HasWhatTheStreamGives();
        // Its last machine has gone, so has the session; what it had is the other's.
        await Wait.ForAsync(() => desk.Live.Count == 1 && Math.Abs(desk.Live[0].Cap!.Value - total) < 1);

        // Changed while it runs.
        await (await admin.PutAsJsonAsync("api/v1/multicast/settings", new { @interface = "lo" })).JsonAsync(HttpStatusCode.OK);
        Assert.Null(desk.Live.SingleOrDefault()?.Cap);
        (await receiving).HasWhatTheStreamGives();
    }

    [Fact]
    public async Task A_session_keeps_to_its_share()
    {
        await using var server = await TestServer.StartAsync();
        var admin = await Room.OnLoopbackAsync(server, megabits: 8);
        var room = await Room.FurnishAsync(server, 73);
        var machine = (await room.OrderAsync(1, new MulticastChoice()))[0];
        await machine.CheckInAsync();
        var began = TimeProvider.System.GetTimestamp();
        (await machine.ReceiveAsync()).HasWhatTheStreamGives();
        var seconds = TimeProvider.System.GetElapsedTime(began).TotalSeconds;
        var bits = 8 * (await Sessions.GetAsync(admin, 1)).GetProperty("session").GetProperty("bytesSent").GetDouble();
        // A burst at the beginning may be ahead of the clock by some milliseconds.
        Assert.True(bits / seconds < 8e6 * 1.1, $"{bits / seconds / 1e6:0.0} Mbit/s");
    }
}
