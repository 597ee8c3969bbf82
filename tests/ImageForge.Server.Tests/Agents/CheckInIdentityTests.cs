using System.Net;
using ImageForge.Contracts;
using ImageForge.Server.Boot;
using ImageForge.Server.Hosts;
using ImageForge.Server.Jobs;

namespace ImageForge.Server.Tests.Agents;

/// <summary>Which machine may check in for a host, and what it says about itself.</summary>
public sealed class CheckInIdentityTests
{
    private const string Zeros = "00000000-0000-0000-0000-000000000000";

    [Theory]
    [InlineData("other-uuid")]
    [InlineData("other-serial")]
    public async Task Another_machine_under_this_mac_is_refused_shown_and_changes_nothing(string what)
    {
        await using var server = await TestServer.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var first = await agent.OrderCaptureAsync("lab");
        var (_, client) = await agent.CheckInAsync(first);
        await client.ReportAsync(HostTaskState.Transferring, 50);
        var before = await agent.TaskAsync(first);

        agent.Inventory = what == "other-uuid"
            ? agent.Inventory with { Uuid = "11111111-2222-4333-8444-555555555555" }
            : agent.Inventory with { Serial = "SN-STOLEN" };
        var problem = await (await agent.SendCheckInAsync(agent.Request(await agent.BootAsync(first)))).ShouldBeAsync(403, "identityMismatch");
        Assert.Contains("pc-1", problem.Detail, StringComparison.Ordinal);
        Assert.Equal(before with { LastHeardAt = null }, await agent.TaskAsync(first) with { LastHeardAt = null });
        Assert.Equal("pc-1", Assert.Single(await CheckInTests.EventsAsync(server, "checkInRefused")).Subject);
        (await client.ReportAsync(HostTaskState.Transferring, 60)).EnsureSuccessStatusCode();
    }

    [Fact]
    public async Task Placeholders_count_as_absent_on_both_sides()
    {
        await using var server = await TestServer.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        agent.Inventory = agent.Inventory with { Uuid = Zeros, Serial = "To be filled by O.E.M." };
        var task = await agent.OrderCaptureAsync("lab");
        await agent.CheckInAsync(task);
        var host = (await server.Get<HostStore>().FindAsync(agent.Host.Id, default))!;
        Assert.Equal((null, null), (host.Uuid, host.Serial));

        // The record has none, so the first real value is taken …
        agent.Inventory = agent.Inventory with { Uuid = "6f1e2d3c-4b5a-4968-8776-655443322110", Serial = "SN-1" };
        await agent.CheckInAsync(task);
        // … and a placeholder later contradicts nothing.
        agent.Inventory = agent.Inventory with { Uuid = "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", Serial = "Default string" };
        Assert.True((await agent.CheckInAsync(task)).Answer.Resumed);
    }

    [Fact]
    public async Task A_host_nobody_approved_is_refused()
    {
        await using var server = await TestServer.StartAsync();
        var mac = MacAddress.Parse("52:54:00:aa:bb:cc");
        await server.Get<HostStore>().RecordSightingsAsync([new HostSighting(mac, null, null, null, null, null, null, null, "127.0.0.1")], default);
        var agent = new ScriptedAgent(server, (await server.Get<HostStore>().FindByMacAsync(mac, default))!);
        var task = await agent.OrderCaptureAsync("lab");
        await (await agent.SendCheckInAsync(agent.Request(await agent.BootAsync(task)))).ShouldBeAsync(403, "hostNotApproved");
    }

    [Fact]
    public async Task A_mac_that_is_neither_the_tokens_nor_the_hosts_is_refused()
    {
        await using var server = await TestServer.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var request = agent.Request(await agent.BootAsync(await agent.OrderCaptureAsync("lab"))) with { Mac = "02:00:00:00:00:99" };
        await (await agent.SendCheckInAsync(request)).ShouldBeAsync(403, "macMismatch");
    }

    [Fact]
    public async Task Device_text_is_cut_and_cleaned_before_it_is_kept()
    {
        await using var server = await TestServer.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        agent.Inventory = agent.Inventory with
        {
            Product = new string('x', 5000),
            Manufacturer = "evil\u001b[2J\u202Etxt\r\n",
            Disks = [ScriptedAgent.Disk() with { Model = new string('m', 100_000) }],
        };
        await agent.CheckInAsync(await agent.OrderCaptureAsync("lab"));
        var kept = (await server.Get<HostStore>().FindInventoryAsync(agent.Host.Id, default))!;
        Assert.Equal(DeviceText.MaxLength, kept.Product!.Length);
        Assert.Equal(DeviceText.MaxLength, kept.Disks[0].Model!.Length);
        Assert.Equal("evil[2Jtxt", kept.Manufacturer);
    }

    [Fact]
    public async Task Deleting_a_host_leaves_nothing_that_speaks_for_its_tasks_and_their_ids_never_come_back()
    {
        await using var server = await TestServer.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var task = await agent.OrderCaptureAsync("lab");
        var (_, client) = await agent.CheckInAsync(task);
        (await client.PostAsync("agent/v1/capture/chunks/missing", new ByteArrayContent(new byte[32]))).EnsureSuccessStatusCode();
        var unused = await agent.BootAsync(task);
        (await client.FinishAsync(HostTaskState.Failed)).EnsureSuccessStatusCode();
        await server.Get<ImageForge.Server.ImageStore.ChunkLeases>().RecordAsync(task, [default], default);
        var admin = await server.AdminAsync();
        Assert.Equal(HttpStatusCode.NoContent, (await admin.DeleteAsync($"api/v1/hosts/{agent.Mac}")).StatusCode);

        await using (var connection = await server.Get<ImageForge.Server.Data.Database>().OpenAsync(default))
        {
            foreach (var table in (string[])["boot_tokens", "check_ins", "chunk_leases"])
                Assert.Equal(0, await Dapper.SqlMapper.ExecuteScalarAsync<long>(connection, $"SELECT count(*) FROM {table}"));
        }
        var other = await ScriptedAgent.WithHostAsync(server, "pc-2");
        Assert.True(other.Host.Id > agent.Host.Id);
        Assert.True(await other.OrderCaptureAsync("lab") > task);
        await (await agent.SendCheckInAsync(agent.Request(unused))).ShouldBeAsync(401, "bootTokenUnknown");
    }

    [Fact]
    public async Task A_token_minted_for_a_mac_of_another_host_is_refused()
    {
        await using var server = await TestServer.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var stranger = MacAddress.Parse("02:00:00:00:00:98");
        var boot = await server.Get<BootTokens>().MintAsync(await agent.OrderCaptureAsync("lab"), stranger, default);
        await (await agent.SendCheckInAsync(agent.Request(boot) with { Mac = stranger.ToString() })).ShouldBeAsync(403, "macMismatch");
    }
}
