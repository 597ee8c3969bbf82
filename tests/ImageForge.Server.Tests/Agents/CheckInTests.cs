using System.Net;
using System.Net.Http.Json;
using ImageForge.Contracts;
using ImageForge.Server.Boot;
using ImageForge.Server.Events;
using ImageForge.Server.Hosts;
using ImageForge.Server.Jobs;

namespace ImageForge.Server.Tests.Agents;

public sealed class CheckInTests
{
    private const string Zeros = "00000000-0000-0000-0000-000000000000";

    [Fact]
    public async Task A_boot_token_becomes_a_task_token_and_the_hosts_record_is_filled()
    {
        await using var server = await TestServer.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var task = await agent.OrderCaptureAsync("lab", 1 << 20);
        var (answer, client) = await agent.CheckInAsync(task);

        Assert.False(answer.Resumed);
        Assert.Equal(new TaskAssignment(task, JobKind.Capture, "pc-1", AfterTask.Reboot, new CaptureAssignment("lab", 1 << 20, 0, null), null), answer.Task);
        var stored = await agent.TaskAsync(task);
        Assert.Equal(HostTaskState.CheckedIn, stored.State);
        Assert.Equal("serial DISK-1", stored.TargetDisk);
        var host = (await server.Get<HostStore>().FindAsync(agent.Host.Id, default))!;
        Assert.Equal((agent.Inventory.Uuid, agent.Inventory.Serial), (host.Uuid, host.Serial));
        Assert.Equal("TestDisk", (await server.Get<HostStore>().FindInventoryAsync(host.Id, default))!.Disks[0].Model);
        Assert.False((await client.ReportAsync(HostTaskState.Preparing).ReadAsync(AgentJson.Default.ProgressReply)).Cancelled);
        Assert.Equal(HostTaskState.Preparing, (await agent.TaskAsync(task)).State);
    }

    [Fact]
    public async Task What_an_order_says_about_unclean_volumes_reaches_the_agent()
    {
        await using var server = await TestServer.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var order = await (await server.AdminAsync()).PostAsync("api/v1/jobs",
            new { kind = "capture", hosts = new[] { agent.Mac.ToString() }, image = "lab", capture = new { dirty = "refuse" } }, HttpStatusCode.Created);
        var (answer, _) = await agent.CheckInAsync(order.GetProperty("tasks")[0].GetProperty("id").GetInt64());
        Assert.Equal(DirtyVolumes.Refuse, answer.Task.Capture!.Choices!.Dirty);
    }

    [Fact]
    public async Task The_same_token_and_nonce_get_the_same_bytes_even_after_a_restart_and_a_rename()
    {
        await using var server = await TestServer.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var request = agent.Request(await agent.BootAsync(await agent.OrderCaptureAsync("lab")));
        using var first = await agent.SendCheckInAsync(request);
        Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        var bytes = await first.Content.ReadAsByteArrayAsync();
        await server.Get<HostStore>().RenameAsync(agent.Host.Id, "renamed", default);
        Assert.Equal(bytes, await (await agent.SendCheckInAsync(request)).Content.ReadAsByteArrayAsync());
        await server.RestartAsync();
        server.Clock.Advance(TimeSpan.FromSeconds(50));
        using var again = await agent.SendCheckInAsync(request);
        Assert.Equal(HttpStatusCode.OK, again.StatusCode);
        Assert.Equal(bytes, await again.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task A_repetition_after_a_minute_is_too_late()
    {
        await using var server = await TestServer.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var request = agent.Request(await agent.BootAsync(await agent.OrderCaptureAsync("lab")));
        (await agent.SendCheckInAsync(request)).EnsureSuccessStatusCode();
        server.Clock.Advance(TimeSpan.FromSeconds(61));
        await (await agent.SendCheckInAsync(request)).ShouldBeAsync(401, "bootTokenExpired");
    }

    [Fact]
    public async Task Another_nonce_is_refused_and_alarmed_and_the_first_agent_goes_on()
    {
        await using var server = await TestServer.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var task = await agent.OrderCaptureAsync("lab");
        var boot = await agent.BootAsync(task);
        var answer = await agent.SendCheckInAsync(agent.Request(boot)).ReadAsync(AgentJson.Default.CheckInResponse);
        await (await agent.SendCheckInAsync(agent.Request(boot))).ShouldBeAsync(403, "bootTokenCopied");

        var alarm = Assert.Single(await EventsAsync(server, "checkInRefused"));
        Assert.Equal(agent.Mac.ToString(), alarm.Subject);
        Assert.Contains("already used", alarm.Text, StringComparison.Ordinal);
        (await server.WithToken(answer.TaskToken).ReportAsync(HostTaskState.Preparing)).EnsureSuccessStatusCode();
    }

    [Fact]
    public async Task The_first_check_in_ends_the_tasks_other_boot_tokens()
    {
        await using var server = await TestServer.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var task = await agent.OrderCaptureAsync("lab");
        var (older, newer) = (await agent.BootAsync(task), await agent.BootAsync(task));
        (await agent.SendCheckInAsync(agent.Request(newer))).EnsureSuccessStatusCode();
        await (await agent.SendCheckInAsync(agent.Request(older))).ShouldBeAsync(401, "bootTokenUnknown");
    }

    [Fact]
    public async Task An_old_token_and_an_invented_one_are_refused()
    {
        await using var server = await TestServer.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var boot = await agent.BootAsync(await agent.OrderCaptureAsync("lab"));
        server.Clock.Advance(TimeSpan.FromMinutes(11));
        await (await agent.SendCheckInAsync(agent.Request(boot))).ShouldBeAsync(401, "bootTokenExpired");
        await (await agent.SendCheckInAsync(agent.Request(ScriptedAgent.Nonce()))).ShouldBeAsync(401, "bootTokenUnknown");
    }

    [Fact]
    public async Task Plain_http_is_refused()
    {
        await using var server = await TestServer.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var request = agent.Request(await agent.BootAsync(await agent.OrderCaptureAsync("lab")));
        using var response = await server.Http().PostAsync("agent/v1/check-in", JsonContent.Create(request, AgentJson.Default.CheckInRequest));
        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        (await agent.SendCheckInAsync(request)).EnsureSuccessStatusCode();
    }

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
        Assert.Equal("pc-1", Assert.Single(await EventsAsync(server, "checkInRefused")).Subject);
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
    public async Task A_second_boot_resumes_and_the_first_agents_token_is_dead()
    {
        await using var server = await TestServer.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var task = await agent.OrderCaptureAsync("lab");
        var (_, old) = await agent.CheckInAsync(task);
        (await old.ReportAsync(HostTaskState.Transferring, 10)).EnsureSuccessStatusCode();
        var (answer, client) = await agent.CheckInAsync(task);

        Assert.True(answer.Resumed);
        Assert.Equal(HostTaskState.CheckedIn, (await agent.TaskAsync(task)).State);
        await (await old.ReportAsync(HostTaskState.Transferring, 11)).ShouldBeAsync(401, "tokenRevoked");
        await (await old.PostAsync("agent/v1/capture/chunks/missing", new ByteArrayContent(new byte[32]))).ShouldBeAsync(401, "tokenRevoked");
        (await client.ReportAsync(HostTaskState.Transferring, 11)).EnsureSuccessStatusCode();
    }

    [Fact]
    public async Task A_resume_onto_another_disk_is_refused_and_changes_nothing()
    {
        await using var server = await TestServer.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var task = await agent.OrderCaptureAsync("lab");
        var (_, client) = await agent.CheckInAsync(task);
        agent.Inventory = ScriptedAgent.InventoryOf(ScriptedAgent.Disk(serial: "DISK-2"));
        var problem = await (await agent.SendCheckInAsync(agent.Request(await agent.BootAsync(task)))).ShouldBeAsync(403, "targetDiskMismatch");
        Assert.Contains("DISK-1", problem.Detail, StringComparison.Ordinal);
        Assert.Contains("DISK-2", problem.Detail, StringComparison.Ordinal);
        (await client.ReportAsync(HostTaskState.Transferring)).EnsureSuccessStatusCode();
    }

    [Fact]
    public async Task Five_resumes_without_progress_are_allowed_the_sixth_fails_the_task()
    {
        await using var server = await TestServer.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var task = await agent.OrderCaptureAsync("lab");
        await agent.CheckInAsync(task);
        for (var i = 0; i < 5; i++)
            Assert.True((await agent.CheckInAsync(task)).Answer.Resumed);
        await (await agent.SendCheckInAsync(agent.Request(await agent.BootAsync(task)))).ShouldBeAsync(409, "noProgress");
        var stored = await agent.TaskAsync(task);
        Assert.Equal((HostTaskState.Failed, "noProgress"), (stored.State, stored.Failure?.Code));
    }

    [Fact]
    public async Task Progress_in_between_gives_new_attempts()
    {
        await using var server = await TestServer.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var task = await agent.OrderCaptureAsync("lab");
        await agent.CheckInAsync(task);
        for (var i = 1; i <= 12; i++)
        {
            var (_, client) = await agent.CheckInAsync(task);
            if (i % 4 == 0)
                (await client.ReportAsync(HostTaskState.Transferring, i)).EnsureSuccessStatusCode();
        }
        Assert.Equal(HostTaskState.Transferring, (await agent.TaskAsync(task)).State);
        Assert.InRange((await agent.TaskAsync(task)).ResumesWithoutProgress, 1, 5);
    }

    public static TheoryData<string, string?, DiskInventory[]> UnfitDisks => new()
    {
        { "noDisk", null, [] },
        { "noDisk", null, [ScriptedAgent.Disk("sda", "USB", removable: true)] },
        { "diskAmbiguous", null, [ScriptedAgent.Disk("sda", "DISK-A"), ScriptedAgent.Disk("sdb", "DISK-B")] },
        { "diskNotFound", "DISK-C", [ScriptedAgent.Disk("sda", "DISK-A"), ScriptedAgent.Disk("sdb", "DISK-B")] },
        { "diskAmbiguous", "DISK-A", [ScriptedAgent.Disk("sda", "DISK-A"), ScriptedAgent.Disk("sdb", "DISK-A")] },
    };

    [Theory]
    [MemberData(nameof(UnfitDisks))]
    public async Task Without_one_clear_disk_the_task_fails_with_the_list(string code, string? wanted, DiskInventory[] disks)
    {
        await using var server = await TestServer.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        agent.Inventory = ScriptedAgent.InventoryOf(disks);
        var task = await agent.OrderAsync(JobKind.Capture, new JobParameters(ImageName: "lab", Disk: wanted));
        var problem = await (await agent.SendCheckInAsync(agent.Request(await agent.BootAsync(task)))).ShouldBeAsync(409, code);
        Assert.Equal(Fault.Disk, problem.Fault);
        Assert.All(disks, d => Assert.Contains(d.Name, problem.Detail, StringComparison.Ordinal));
        var stored = await agent.TaskAsync(task);
        Assert.Equal((HostTaskState.Failed, code), (stored.State, stored.Failure?.Code));
    }

    [Fact]
    public async Task A_disk_named_by_serial_is_chosen_among_several()
    {
        await using var server = await TestServer.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        agent.Inventory = ScriptedAgent.InventoryOf(ScriptedAgent.Disk("sda", "DISK-A"), ScriptedAgent.Disk("sdb", "DISK-B"));
        var task = await agent.OrderAsync(JobKind.Capture, new JobParameters(ImageName: "lab", Disk: "DISK-B"));
        var (answer, _) = await agent.CheckInAsync(task);
        Assert.Equal("DISK-B", answer.Task.Capture!.Disk);
        Assert.Equal("serial DISK-B", (await agent.TaskAsync(task)).TargetDisk);
    }

    [Fact]
    public async Task A_machine_that_restarts_after_a_cancel_confirms_it()
    {
        await using var server = await TestServer.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var task = await agent.OrderCaptureAsync("lab");
        var (_, client) = await agent.CheckInAsync(task);
        await CancelAsync(server, task);
        await (await agent.SendCheckInAsync(agent.Request(await agent.BootAsync(task)))).ShouldBeAsync(409, "cancelled");
        var ended = await agent.TaskAsync(task);
        Assert.Equal(HostTaskState.Cancelled, ended.State);
        Assert.NotNull(ended.FinishedAt);
        Assert.True((await client.ReportAsync(HostTaskState.Transferring).ReadAsync(AgentJson.Default.ProgressReply)).Cancelled);
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

    [Fact]
    public async Task After_the_clock_was_set_back_an_agent_of_the_future_counts_as_not_heard()
    {
        await using var server = await TestServer.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var task = await agent.OrderCaptureAsync("lab");
        await agent.CheckInAsync(task);
        var decider = server.Get<BootDecider>();
        Assert.Equal(BootWay.Wait, (await decider.DecideAsync(agent.Mac, default)).Way);
        server.Clock.Advance(TimeSpan.FromDays(-400));
        Assert.Equal(BootWay.Agent, (await decider.DecideAsync(agent.Mac, default)).Way);

        await CancelAsync(server, task);
        await server.Get<HostTaskStore>().EndSilentCancelledAsync(TimeSpan.FromSeconds(30), default);
        Assert.Equal(HostTaskState.Cancelled, (await agent.TaskAsync(task)).State);
    }

    internal static async Task<List<Event>> EventsAsync(TestServer server, string kind) =>
        [.. (await server.Get<EventLog>().ListAsync(ImageForge.Server.Data.Paging.Of(0, 1000), default)).Items.Where(e => e.Kind == kind)];

    internal static Task CancelAsync(TestServer server, long task) =>
        server.Get<ImageForge.Server.Data.Database>().WriteAsync((connection, transaction) =>
            Dapper.SqlMapper.ExecuteAsync(connection, "UPDATE host_tasks SET cancel_requested = 1 WHERE id = @task", new { task }, transaction), default);
}
