using ImageForge.Contracts;
using ImageForge.Server.Events;
using ImageForge.Server.Images;
using ImageForge.Server.Multicasting;
using ImageForge.Server.Tests.Agents;

namespace ImageForge.Server.Tests.Multicasting;

public sealed class SessionOfferTests
{
    private static readonly MulticastChoice s_auto = new();

    private static async Task<long?> OfferedAsync(Machine machine) => (await machine.CheckInAsync()).Answer.Task.Deploy!.Multicast?.Session;

    [Fact]
    public async Task A_deploy_that_does_not_ask_for_multicast_is_offered_none()
    {
        await using var server = await TestServer.StartAsync();
        var room = await Room.FurnishAsync(server, 1);
        Assert.Null(await OfferedAsync((await room.OrderAsync(1, null))[0]));
        Assert.Empty(await server.Get<SessionStore>().ListOpenAsync(default));
    }

    [Fact]
    public async Task An_auto_cast_is_one_session_for_all_jobs_of_the_version()
    {
        await using var server = await TestServer.StartAsync();
        var room = await Room.FurnishAsync(server, 2);
        var (first, second) = (await room.OrderAsync(2, s_auto), await room.OrderAsync(1, s_auto));
        var session = await OfferedAsync(first[0]);
        Assert.NotNull(session);
        Assert.Equal(session, await OfferedAsync(first[1]));
        Assert.Equal(session, await OfferedAsync(second[0]));
        var row = Assert.Single(await server.Get<SessionStore>().ListOpenAsync(default));
        Assert.Equal((SessionState.Waiting, 0u, "lab version 1", (long?)null), (row.State, row.Epoch, row.Image, row.JobId));
    }

    [Fact]
    public async Task A_scheduled_cast_is_a_session_of_its_job_and_waits_for_all_its_hosts_unless_told_otherwise()
    {
        await using var server = await TestServer.StartAsync();
        var room = await Room.FurnishAsync(server, 3);
        var scheduled = await room.OrderAsync(3, new MulticastChoice(MulticastStart.Scheduled));
        var other = await room.OrderAsync(2, new MulticastChoice(MulticastStart.Scheduled, WaitForHosts: 1, WaitMinutes: 3));
        var auto = await room.OrderAsync(1, s_auto);
        var ids = new[] { await OfferedAsync(scheduled[0]), await OfferedAsync(other[0]), await OfferedAsync(auto[0]) };
        Assert.Equal(3, ids.Distinct().Count());
        Assert.Equal(ids[0], await OfferedAsync(scheduled[2]));
        var rows = (await server.Get<SessionStore>().ListOpenAsync(default)).ToDictionary(r => r.Id);
        Assert.Equal((3, 600), (rows[ids[0]!.Value].WaitForHosts, rows[ids[0]!.Value].WaitSeconds));
        Assert.Equal((1, 180), (rows[ids[1]!.Value].WaitForHosts, rows[ids[1]!.Value].WaitSeconds));
    }

    [Fact]
    public async Task A_version_cannot_be_deleted_while_a_session_carries_it()
    {
        await using var server = await TestServer.StartAsync();
        var room = await Room.FurnishAsync(server, 4);
        var machine = (await room.OrderAsync(1, s_auto))[0];
        var (answer, client) = await machine.CheckInAsync();
        await client.FinishAsync(HostTaskState.Failed, new Failure("test", Fault.Server, "Ended.", "None."));
        var kept = Assert.IsType<VersionOutcome.Kept>(await server.Get<ImageVersions>().DeleteAsync("lab", 1, "test", server.Get<EventLog>(), default));
        var reason = Assert.Single(kept.Reasons);
        Assert.Equal("versionInUse", reason.Code);
        Assert.Contains($"session {answer.Task.Deploy!.Multicast!.Session}", reason.Sentence, StringComparison.Ordinal);
    }
}
