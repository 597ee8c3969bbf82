using System.Net;
using Dapper;
using ImageForge.Contracts;
using ImageForge.Multicast;
using ImageForge.Server.Data;
using ImageForge.Server.ImageStore;
using ImageForge.Server.Multicasting;
using ImageForge.Server.Tests.Agents;

namespace ImageForge.Server.Tests.Multicasting;

/// <summary>What goes wrong in the server itself costs the room no more than it must.</summary>
public sealed class TroubleTests
{
    private static readonly MulticastChoice s_auto = new();

    [Fact]
    public async Task A_machine_that_leaves_while_the_server_looks_after_its_session_troubles_nobody()
    {
        await using var server = await TestServer.StartAsync("Multicast:TickSeconds=0.05");
        var admin = await Room.OnLoopbackAsync(server, megabits: 5);
        var room = await Room.FurnishAsync(server, 61);
        var machine = (await room.OrderAsync(1, s_auto))[0];
        var receiving = machine.ReceiveAsync();
        await Wait.ForAsync(() => machine.Received.Count > 0);
        // One that the server still counts, is to send away and that has gone at this moment.
        var other = (await room.OrderAsync(1, s_auto))[0];
        await admin.PostAsync($"api/v1/jobs/{other.Job}/cancel", null, HttpStatusCode.OK);
        var live = Assert.Single(server.Get<SessionDesk>().Live);
        var leaving = new LiveMember(other.TaskId, "pc-gone", IPAddress.Loopback, TimeProvider.System.GetUtcNow());
        leaving.Dispose();
        Assert.True(live.TryEnter(leaving));
        await Task.Delay(1000);
        live.Leave(leaving);
        await admin.PostAsync("api/v1/sessions/1/stop", null, HttpStatusCode.OK);
        Assert.Equal(ReceiveEnd.Stopped, (await receiving).End);
    }

    [Fact]
    public async Task A_machine_whose_leave_cannot_be_written_down_has_left()
    {
        await using var server = await TestServer.StartAsync("Multicast:TickSeconds=0.1", "Multicast:LingerSeconds=1");
        var admin = await Room.OnLoopbackAsync(server, megabits: 5);
        var room = await Room.FurnishAsync(server, 62);
        var machine = (await room.OrderAsync(1, s_auto))[0];
        using var cancel = new CancellationTokenSource();
        var receiving = machine.ReceiveAsync(cancel.Token);
        await Wait.ForAsync(() => machine.Received.Count > 0);
        await RefuseAsync(server, "BEFORE UPDATE OF outcome ON multicast_members");
        var live = Assert.Single(server.Get<SessionDesk>().Live);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => receiving);
        await Wait.ForAsync(() => live.Members.Count == 0);
        await Sessions.UntilAsync(admin, 1, s => s.GetProperty("session").Text("state") == "ended");
    }

    [Fact]
    public async Task A_stop_that_cannot_be_written_down_can_be_asked_for_again()
    {
        await using var server = await TestServer.StartAsync("Multicast:TickSeconds=0.1");
        var admin = await Room.OnLoopbackAsync(server, megabits: 5);
        var room = await Room.FurnishAsync(server, 63);
        var machine = (await room.OrderAsync(1, s_auto))[0];
        var receiving = machine.ReceiveAsync();
        await Wait.ForAsync(() => machine.Received.Count > 0);
        await RefuseAsync(server, "BEFORE UPDATE OF end_reason ON multicast_sessions");
        Assert.NotEqual(HttpStatusCode.OK, (await admin.PostAsync("api/v1/sessions/1/stop", null)).StatusCode);
        Assert.False(receiving.IsCompleted);
        await RunAsync(server, "DROP TRIGGER refused");
        await admin.PostAsync("api/v1/sessions/1/stop", null, HttpStatusCode.OK);
        Assert.Equal(ReceiveEnd.Stopped, (await receiving).End);
        await Wait.ForAsync(() => server.Get<SessionDesk>().Live.Count == 0);
    }

    [Fact]
    public async Task A_missing_chunk_that_nobody_can_be_told_of_does_not_end_the_session()
    {
        await using var server = await TestServer.StartAsync("Multicast:TickSeconds=0.2");
        await Room.OnLoopbackAsync(server, megabits: 40);
        var room = await Room.FurnishAsync(server, 64);
        File.Delete(server.Get<StoreFolder>().ChunkFile(room.Numbers[3]));
        await RefuseAsync(server, "BEFORE INSERT ON events WHEN NEW.kind IN ('chunkMissing', 'chunkCorrupt')");
        var machine = (await room.OrderAsync(1, s_auto))[0];
        var outcome = await machine.ReceiveAsync();
        Assert.Equal((ReceiveEnd.GoOnOverHttp, 1), (outcome.End, outcome.Lacking.Count));
        Assert.True(outcome.Lacking.Contains(3));
    }

    /// <summary>From now on the database refuses what the trigger says, as a full disk would.</summary>
    private static Task<int> RefuseAsync(TestServer server, string when) => RunAsync(server, $"CREATE TRIGGER refused {when} BEGIN SELECT RAISE(ABORT, 'disk full'); END");

    private static Task<int> RunAsync(TestServer server, string sql) =>
        server.Get<Database>().WriteAsync((connection, transaction) => connection.ExecuteAsync(sql, transaction: transaction), default);
}
