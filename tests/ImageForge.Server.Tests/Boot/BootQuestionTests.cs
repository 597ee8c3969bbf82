using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Dapper;
using ImageForge.Contracts;
using ImageForge.Server.Boot;
using ImageForge.Server.Data;
using ImageForge.Server.Events;
using ImageForge.Server.Hosts;
using ImageForge.Server.Jobs;

namespace ImageForge.Server.Tests.Boot;

public sealed class BootQuestionTests
{
    private static readonly MacAddress Mac = MacAddress.Parse("52:54:00:aa:bb:01");
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task An_unknown_machine_boots_its_disk_and_is_recorded_as_discovered()
    {
        await using var server = await BootServer.StartAsync();
        var script = await server.AskAsync("52-54-00-aa-bb-01?uuid=4c4c4544-0042-3510-8052-b4c04f4a3232&serial=5JR%20%26+1&asset=A%2B1&product=Opti%20Plex&manufacturer=Dell&arch=x86_64&platform=efi");
        Assert.DoesNotContain("imageforge.token", script, StringComparison.Ordinal);
        var host = await BootServer.EventuallyAsync(async () => await server.Server.Get<HostStore>().FindByMacAsync(Mac, None), h => h is not null);
        Assert.Equal(
            (HostState.Discovered, "4c4c4544-0042-3510-8052-b4c04f4a3232", "5JR &+1", "A+1", "Opti Plex", "Dell", "x86_64", "efi", "127.0.0.1"),
            (host!.State, host.Uuid, host.Serial, host.AssetTag, host.Product, host.Manufacturer, host.Architecture, host.Platform, host.LastSeenAddress));
    }

    [Theory]
    [InlineData("")]
    [InlineData("nonsense")]
    [InlineData("00-00-00-00-00-00")]
    [InlineData("ff-ff-ff-ff-ff-ff")]
    [InlineData("01-00-5e-00-00-01")]
    [InlineData("..%2f..%2fetc%2fpasswd")]
    [InlineData("a/b/c?uuid=%00%ff%")]
    [InlineData("52-54-00-aa-bb-01?uuid=%u1234&serial=%&product=%f0%28%8c%28&&&==&=")]
    public async Task Whatever_is_asked_the_answer_is_a_script(string question)
    {
        await using var server = await BootServer.StartAsync();
        await server.AskAsync(question);
    }

    [Fact]
    public async Task Random_questions_are_answered_with_a_script_and_never_with_their_own_text()
    {
        await using var server = await BootServer.StartAsync("Boot:DiscoveriesPerSecondPerSource=1000");
        // %00 in a path is refused by the web server itself, before any of our code; iPXE never sends it.
        const int seed = 515;
        var random = new Random(seed);
        for (var i = 0; i < 500; i++)
        {
            var bytes = new byte[random.Next(60)];
            random.NextBytes(bytes);
            var junk = string.Concat(bytes.Select(b => random.Next(2) == 0 && b != 0 ? $"%{b:x2}" : char.IsAsciiLetterOrDigit((char)b) ? ((char)b).ToString() : ""));
            var script = await server.AskAsync(random.Next(2) == 0 ? $"52-54-00-{i / 100:00}-{i % 100:00}-01?serial=zqj{junk}" : $"zqj{junk}");
            Assert.False(script.Contains("zqj", StringComparison.Ordinal), $"seed {seed}, question {junk}");
        }
    }

    [Fact]
    public async Task A_waiting_task_starts_the_agent_with_a_token_and_moves_to_booting()
    {
        await using var server = await BootServer.StartAsync("Boot:KernelArguments=console=ttyS0");
        var task = await server.OrderAsync(Mac);
        server.Tie(Mac);
        var script = await server.AskAsync(Mac);
        var token = BootServer.Token(script);
        Assert.Equal(BootTokens.Length, token.Length);
        Assert.Contains($"set pin {server.Server.Get<Listening.ServerCertificate>().Pin}\n", script, StringComparison.Ordinal);
        Assert.Contains($"set agent-server {server.Server.HttpsBase.ToString().TrimEnd('/')}\n", script, StringComparison.Ordinal);
        Assert.Contains("set extra console=ttyS0\n", script, StringComparison.Ordinal);
        Assert.Equal(HostTaskState.Booting, (await server.Server.Get<HostTaskStore>().FindAsync(task.Id, None))!.State);
        await using var connection = await server.Server.Get<Database>().OpenAsync(None);
        Assert.Equal(BootTokens.Hash(token), await connection.ExecuteScalarAsync<byte[]>("SELECT token_hash FROM boot_tokens"));
    }

    [Fact]
    public async Task Asking_again_gives_another_token_and_both_are_good()
    {
        await using var server = await BootServer.StartAsync();
        var task = await server.OrderAsync(Mac);
        server.Tie(Mac);
        var first = BootServer.Token(await server.AskAsync(Mac));
        var second = BootServer.Token(await server.AskAsync(Mac));
        Assert.NotEqual(first, second);
        var tokens = server.Server.Get<BootTokens>();
        Assert.Equal((TokenOutcome.Ok, task.Id), (await tokens.RedeemAsync(second, "n2", None) is var a ? (a.Outcome, a.TaskId) : default));
        Assert.Equal(TokenOutcome.Ok, (await tokens.RedeemAsync(first, "n1", None)).Outcome);
    }

    [Fact]
    public async Task An_address_that_is_not_tied_to_the_machine_gets_no_token_but_an_event()
    {
        await using var server = await BootServer.StartAsync();
        var task = await server.OrderAsync(Mac);
        server.Tie(MacAddress.Parse("52:54:00:aa:bb:99"));
        for (var i = 0; i < 3; i++)
            Assert.DoesNotContain("imageforge.token", await server.AskAsync(Mac), StringComparison.Ordinal);
        Assert.Equal(HostTaskState.Queued, (await server.Server.Get<HostTaskStore>().FindAsync(task.Id, None))!.State);
        // One event a minute, however often it asks.
        var refusal = Assert.Single((await server.Server.Get<EventLog>().ListAsync(new Paging(0, 100), None)).Items, e => e.Kind == "bootRefused");
        Assert.Contains("127.0.0.1", refusal.Text, StringComparison.Ordinal);
        Assert.Contains("TrustedSubnets", refusal.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_trusted_subnet_or_a_dhcp_exchange_stands_in_for_the_neighbour_table()
    {
        await using var trusting = await BootServer.StartAsync("Boot:TrustedSubnets:0=127.0.0.0/8");
        await trusting.OrderAsync(Mac);
        Assert.NotEmpty(BootServer.Token(await trusting.AskAsync(Mac)));

        await using var seen = await BootServer.StartAsync();
        await seen.OrderAsync(Mac);
        seen.Server.Get<DhcpAddressBook>().Record(Mac, IPAddress.Loopback);
        Assert.NotEmpty(BootServer.Token(await seen.AskAsync(Mac)));
    }

    [Fact]
    public async Task A_machine_that_asks_too_often_is_told_to_wait_and_gets_no_more_tokens()
    {
        await using var server = await BootServer.StartAsync("Boot:TokenBurstPerMac=2", "Boot:SecondsPerToken=1000");
        await server.OrderAsync(Mac);
        server.Tie(Mac);
        Assert.NotEmpty(BootServer.Token(await server.AskAsync(Mac)));
        Assert.NotEmpty(BootServer.Token(await server.AskAsync(Mac)));
        var third = await server.AskAsync(Mac);
        Assert.Empty(BootServer.Token(third));
        Assert.Contains("set wait-seconds 3\n", third, StringComparison.Ordinal);
    }

    [Fact]
    public async Task While_the_agent_was_heard_a_new_boot_waits_and_then_resumes()
    {
        await using var server = await BootServer.StartAsync();
        var task = await server.OrderAsync(Mac);
        server.Tie(Mac);
        await server.AskAsync(Mac);
        var tasks = server.Server.Get<HostTaskStore>();
        await tasks.CheckInAsync(task.Id, new byte[32], null, null, null, false, null, None);
        Assert.Contains("set wait-seconds 3\n", await server.AskAsync(Mac), StringComparison.Ordinal);
        server.Server.Clock.Advance(TimeSpan.FromSeconds(11));
        Assert.NotEmpty(BootServer.Token(await server.AskAsync(Mac)));
        // The work's state stays as it is until the agent is back.
        Assert.Equal(HostTaskState.CheckedIn, (await tasks.FindAsync(task.Id, None))!.State);
    }

    [Fact]
    public async Task A_host_that_was_only_discovered_or_has_no_task_boots_its_disk_its_own_way()
    {
        await using var server = await BootServer.StartAsync();
        var host = await server.ApproveAsync(Mac);
        await server.Server.Get<HostStore>().SetLocalBootAsync(host.Id, @"file \EFI\Microsoft\Boot\bootmgfw.efi", None);
        Assert.Contains("set local-file \\EFI\\Microsoft\\Boot\\bootmgfw.efi\n", await server.AskAsync(Mac), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_broken_database_still_gets_a_script()
    {
        await using var server = await BootServer.StartAsync();
        await server.Server.Get<Database>().WriteAsync<int>((c, t) => c.ExecuteAsync("ALTER TABLE host_macs RENAME TO gone", transaction: t), None);
        var script = await server.AskAsync(Mac);
        Assert.Contains("could not decide", script, StringComparison.Ordinal);
        await server.Server.Get<Database>().WriteAsync<int>((c, t) => c.ExecuteAsync("ALTER TABLE gone RENAME TO host_macs", transaction: t), None);
        Assert.Contains("new here", await server.AskAsync(Mac), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_whose_writer_is_busy_does_not_hold_the_machine_up()
    {
        await using var server = await BootServer.StartAsync("Boot:DecisionMilliseconds=300");
        await server.OrderAsync(Mac);
        server.Tie(Mac);
        var release = new TaskCompletionSource();
        var busy = server.Server.Get<Database>().WriteAsync<bool>(async (_, _) => { await release.Task; return true; }, None);
        try
        {
            var start = TimeProvider.System.GetTimestamp();
            Assert.Empty(BootServer.Token(await server.AskAsync(Mac)));
            Assert.InRange(TimeProvider.System.GetElapsedTime(start).TotalSeconds, 0.2, 5);
        }
        finally
        {
            release.SetResult();
            await busy;
        }
    }

    [Fact]
    public async Task The_preview_has_a_placeholder_and_changes_nothing()
    {
        await using var server = await BootServer.StartAsync();
        var task = await server.OrderAsync(Mac);
        var client = await server.Server.WithScopeAsync("read");
        var view = await client.GetFromJsonAsync<JsonElement>("api/v1/hosts/52:54:00:aa:bb:01/boot-decision");
        Assert.Equal(("agent", task.Id), (view.GetProperty("decision").GetString(), view.GetProperty("taskId").GetInt64()));
        Assert.Contains($"set token {BootAnswers.PlaceholderToken}\n", view.GetProperty("script").GetString(), StringComparison.Ordinal);
        Assert.Equal(HostTaskState.Queued, (await server.Server.Get<HostTaskStore>().FindAsync(task.Id, None))!.State);
        var unknown = await client.GetFromJsonAsync<JsonElement>("api/v1/hosts/525400aabb77/boot-decision");
        Assert.Equal(("local", "52:54:00:aa:bb:77"), (unknown.GetProperty("decision").GetString(), unknown.GetProperty("mac").GetString()));
        Assert.Equal(HttpStatusCode.BadRequest, (await client.GetAsync(new Uri("api/v1/hosts/nonsense/boot-decision", UriKind.Relative))).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await server.Server.Anonymous().GetAsync(new Uri("api/v1/hosts/525400aabb77/boot-decision", UriKind.Relative))).StatusCode);
    }

    [Fact]
    public async Task The_timeline_shows_the_steps_in_order()
    {
        await using var server = await BootServer.StartAsync();
        await server.OrderAsync(Mac);
        server.Tie(Mac);
        await server.AskAsync(Mac);
        using (var kernel = await server.Server.Http().GetAsync(new Uri("boot/files/vmlinuz?mac=52-54-00-aa-bb-01", UriKind.Relative)))
            Assert.Equal(HttpStatusCode.NotFound, kernel.StatusCode);
        var client = await server.Server.WithScopeAsync("read");
        var events = await BootServer.EventuallyAsync(
            async () => (await client.GetFromJsonAsync<JsonElement>("api/v1/hosts/525400aabb01/boot-timeline")).GetProperty("events"), e => e.GetArrayLength() >= 2);
        Assert.Equal(["script", "kernel"], events.EnumerateArray().Select(e => e.GetProperty("step").GetString()));
        Assert.StartsWith("agent: ", events[0].GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Contains("not installed", events[1].GetProperty("detail").GetString(), StringComparison.Ordinal);
        var later = await client.GetFromJsonAsync<JsonElement>($"api/v1/hosts/525400aabb01/boot-timeline?after={events[1].GetProperty("id").GetInt64()}");
        Assert.Equal(0, later.GetProperty("events").GetArrayLength());
    }

    [Fact]
    public async Task The_first_script_needs_no_database_and_carries_our_address()
    {
        await using var server = await BootServer.StartAsync();
        await server.Server.Get<Database>().WriteAsync<int>((c, t) => c.ExecuteAsync("ALTER TABLE host_macs RENAME TO gone", transaction: t), None);
        var script = await server.Server.Http().GetStringAsync(new Uri("boot.ipxe", UriKind.Relative));
        Assert.Contains($"set imageforge {server.Server.HttpBase.ToString().TrimEnd('/')}\n", script, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Boot:KernelArguments=quiet ${net0/ip}", "KernelArguments")]
    [InlineData("Boot:TrustedSubnets:0=10.0.0.0/40", "TrustedSubnets")]
    [InlineData("BootServices:Dhcp=sometimes", "off, proxy or full")]
    public async Task A_setting_that_cannot_work_stops_the_start_with_a_sentence(string setting, string word)
    {
        var failure = await Assert.ThrowsAnyAsync<Exception>(() => BootServer.StartAsync(setting));
        Assert.Contains(word, ImageForge.Server.Configuration.StartUp.Explain(failure, new ImageForge.Server.Configuration.ServerOptions()), StringComparison.Ordinal);
    }
}
