using System.Net;
using System.Net.Http.Json;
using ImageForge.Contracts;
using ImageForge.Multicast;
using ImageForge.Server.Access;

namespace ImageForge.Server.Tests.Multicasting;

/// <summary>The server as a real process, killed with SIGKILL while it sends.</summary>
public sealed class KilledSenderTests
{
    [Fact]
    public async Task Killed_again_and_again_it_goes_on_where_it_was_and_no_nonce_comes_twice()
    {
        const int kills = 3, seed = 81;
        var random = new Random(seed);
        await using var server = await ServerProcess.StartAsync(null, "Multicast:TickSeconds=0.2");
        var (_, token) = await server.Get<ApiTokenStore>().CreateAsync("admin", [Scopes.Admin], null, null, default);
        using var admin = server.WithToken(token);
        // One group and one port: every sender of this test is heard in one place.
        await (await admin.PutAsJsonAsync("api/v1/multicast/settings", new { @interface = "lo", groups = "239.255.99.7/32", firstPort = 30777, lastPort = 30777, megabitsPerSecond = 40 })).JsonAsync(HttpStatusCode.OK);
        var room = await Room.FurnishAsync(server, seed, 32 << 20);
        var machines = await room.OrderAsync(2, new MulticastChoice());
        foreach (var machine in machines)
            await machine.CheckInAsync();

        await using var listening = new Eavesdropper(new GroupEndpoint(IPAddress.Parse("239.255.99.7"), 30777));
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        var receiving = machines.Select(m => m.ReceiveThroughAsync(patience.Token)).ToArray();
        var chunks = room.Numbers.Count;
        for (var kill = 1; kill <= kills; kill++)
        {
            // Past a different part of the image each time; everything that came stays.
            var until = chunks * kill / (kills + 1);
            await Wait.ForAsync(() => machines.All(m => m.Received.Count >= until), seconds: 60);
            await Task.Delay(random.Next(120), default(CancellationToken));
            Assert.DoesNotContain(receiving, r => r.IsCompleted);
            await server.KillAsync();
            await server.RunAsync();
        }
        foreach (var outcome in await Task.WhenAll(receiving))
            outcome.HasWhatTheStreamGives();
        Assert.All(machines, m => Assert.Equal((chunks, 0), (m.Received.Count, m.Received.Wrong)));

        Assert.Equal(0, listening.Twice);
        Assert.Equal(kills + 1, listening.Epochs);
        Assert.True(listening.Packets > room.Version.StoredBytes / 1408, $"only {listening.Packets} packets were seen");
        // Begun anew each time it would have been 2.5 times the image; what a kill costs is the blocks that were under way.
        Assert.InRange((double)listening.FragmentBytes / room.Version.StoredBytes, 1, 1.7);
        using var again = server.WithToken(token);
        var sessions = await again.GetAsync("api/v1/sessions", HttpStatusCode.OK);
        var session = Assert.Single(sessions.GetProperty("items").EnumerateArray());
        Assert.Equal((kills + 1, "running"), (session.GetProperty("epoch").GetInt32(), session.Text("state")));
    }

    [Fact]
    public async Task The_next_epoch_is_on_the_disk_before_anything_of_it_is_in_the_air()
    {
        await using var server = await TestServer.StartAsync();
        var admin = await Room.OnLoopbackAsync(server, megabits: 10);
        var groups = (await admin.GetAsync("api/v1/multicast/settings", HttpStatusCode.OK)).GetProperty("effect").Text("groups");
        var room = await Room.FurnishAsync(server, 82, 1 << 20);
        var machine = (await room.OrderAsync(1, new MulticastChoice()))[0];
        await machine.CheckInAsync();
        // A database that takes no writes: no epoch, no sender, no packet.
        await using var listening = new Eavesdropper(new GroupEndpoint(IPAddress.Parse(groups.Replace(".0/24", ".1", StringComparison.Ordinal)), 30101));
        await using (var connection = await server.Get<ImageForge.Server.Data.Database>().OpenAsync(default))
        {
            await using var deferred = connection.BeginTransaction();
            await using var command = connection.CreateCommand();
            command.Transaction = deferred;
            command.CommandText = "CREATE TABLE held (x)";
            await command.ExecuteNonQueryAsync();
            var receiving = machine.ReceiveThroughAsync();
            await Task.Delay(1500);
            Assert.Equal((0, 0), (listening.Packets, machine.Received.Count));
            await deferred.RollbackAsync();
            (await receiving).HasWhatTheStreamGives();
        }
        Assert.True(listening.Packets > 0);
    }
}
