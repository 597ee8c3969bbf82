using ImageForge.Agent.Inventory;
using ImageForge.Contracts;
using Microsoft.AspNetCore.Http;

namespace ImageForge.Agent.Tests.Server;

/// <summary>The whole agent against a scripted server, for everything that needs no disk.</summary>
public sealed class ProtocolTests : IAsyncLifetime, IDisposable
{
    private readonly ScriptedServer _server = new();
    private readonly StagedMachine _machine = new();

    public Task InitializeAsync() => _server.StartAsync();

    public async Task DisposeAsync() => await _server.DisposeAsync();

    public void Dispose() => _machine.Dispose();

    [Fact]
    public async Task An_inventory_task_checks_in_reports_and_restarts_the_machine()
    {
        _machine.AddDisk("sda", 64 << 20);

        Assert.Equal(0, await _machine.RunAsync(_server.CommandLine()));

        var checkIn = Assert.Single(_server.CheckIns);
        Assert.Equal(("boot-token", "52:54:00:12:34:56", AgentRun.Version), (checkIn.BootToken, checkIn.Mac, checkIn.AgentVersion));
        Assert.Equal(43, checkIn.Nonce.Length);
        Assert.Equal(("sda", 64L << 20), (checkIn.Inventory.Disks.Single().Name, checkIn.Inventory.Disks.Single().SizeBytes));
        Assert.Equal(HostTaskState.Succeeded, Assert.Single(_server.Results).State);
        Assert.Contains("imageforge: task succeeded", _machine.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_disk_that_comes_late_is_in_the_inventory()
    {
        _machine.DiskSettling = DiskSettling.Default;
        var run = _machine.RunAsync(_server.CommandLine());
        _machine.AddMachineDisk("sdzx");
        await Task.Delay(TimeSpan.FromSeconds(1));
        _machine.AddMachineDisk("sdzy");

        Assert.Equal(0, await run);
        Assert.Equal(["sdzx", "sdzy"], Assert.Single(_server.CheckIns).Inventory.Disks.Select(d => d.Name));
    }

    [Fact]
    public async Task Another_key_than_the_pinned_one_is_refused_before_anything_is_said()
    {
        Assert.Equal(11, await _machine.RunAsync(_server.CommandLine(pin: new string('0', 64))));

        Assert.Empty(_server.Requests);
        Assert.Contains("imageforge: task failed serverKeyMismatch server: ", _machine.Output, StringComparison.Ordinal);
        Assert.Contains("is not the server that started this machine", _machine.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_is_away_at_first_is_waited_for()
    {
        var port = _server.Port;
        await _server.KillAsync();
        var run = _machine.RunAsync(_server.CommandLine());
        await Task.Delay(TimeSpan.FromSeconds(2));
        Assert.False(run.IsCompleted);
        await _server.StartAsync();

        Assert.Equal(0, await run);
        Assert.Equal(port, _server.Port);
        Assert.Single(_server.Results);
    }

    [Fact]
    public async Task A_server_that_stays_away_restarts_the_machine_when_patience_ends()
    {
        var line = _server.CommandLine(patience: 2);
        await _server.KillAsync();

        Assert.Equal(0, await _machine.RunAsync(line));
        Assert.Contains("task failed serverGone network: ", _machine.Output, StringComparison.Ordinal);
        Assert.Contains("The machine restarts.", _machine.Screen, StringComparison.Ordinal);
        // Nothing is waiting any more, so the last page must not say so.
        Assert.DoesNotContain("Waiting for the server", _machine.Screen[_machine.Screen.LastIndexOf("\e[H", StringComparison.Ordinal)..], StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_check_in_is_given_up_before_the_boot_token_expires_whatever_the_patience()
    {
        var line = _server.CommandLine(patience: 3600);
        await _server.KillAsync();
        var fast = new FastTime(200);
        _machine.Time = fast;
        var start = fast.GetTimestamp();

        Assert.Equal(0, await _machine.RunAsync(line).WaitAsync(TimeSpan.FromSeconds(15)));

        Assert.True(fast.GetElapsedTime(start) >= TimeSpan.FromMinutes(9));
        Assert.Contains("has not answered for 540 s", _machine.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("bootTokenExpired")]
    [InlineData("bootTokenUnknown")]
    public async Task A_boot_token_that_no_longer_counts_is_shown_and_the_machine_restarts_for_a_new_one(string code)
    {
        _machine.TimeToRead = TimeSpan.FromSeconds(1.5);
        _server.Intercept = async context =>
        {
            await ScriptedServer.ProblemAsync(context, 401, code, "This boot token has expired.", "Restart the machine.", Fault.Network);
            return true;
        };
        var run = _machine.RunAsync(_server.CommandLine());
        await Until(() => _machine.Output.Contains($"task failed {code} network: This boot token has expired.", StringComparison.Ordinal));
        await Task.Delay(TimeSpan.FromSeconds(0.5));
        Assert.False(run.IsCompleted);

        Assert.Equal(0, await run);
        Assert.Contains("This boot token has expired.", _machine.Screen, StringComparison.Ordinal);
        Assert.Contains("The machine restarts.", _machine.Screen, StringComparison.Ordinal);
        Assert.Single(_server.Requests);
    }

    [Fact]
    public async Task A_failure_keeps_standing_on_the_screen_while_the_server_is_yet_to_be_told()
    {
        Deploy();
        _server.Manifest = [1];
        _server.Intercept = context =>
        {
            if (!context.Request.Path.Value!.EndsWith("result", StringComparison.Ordinal) || _machine.Screen.Contains("Waiting for the server", StringComparison.Ordinal))
                return Task.FromResult(false);
            context.Response.StatusCode = 503;
            return Task.FromResult(true);
        };

        Assert.Equal(11, await _machine.RunAsync(_server.CommandLine(patience: 1)));

        // Patience does not end this: the machine stays on anyway.
        Assert.Equal("manifestMismatch", Assert.Single(_server.Results).Failure!.Code);
        Assert.Contains("imageforge: the server knows the result", _machine.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_lost_answer_to_the_check_in_is_asked_for_again_with_the_same_nonce()
    {
        _server.Intercept = context =>
        {
            if (!context.Request.Path.Value!.EndsWith("check-in", StringComparison.Ordinal) || _server.Requests.Count > 1)
                return Task.FromResult(false);
            context.Response.OnStarting(() =>
            {
                context.Abort();
                return Task.CompletedTask;
            });
            return Task.FromResult(false);
        };

        Assert.Equal(0, await _machine.RunAsync(_server.CommandLine()));

        Assert.Equal(2, _server.CheckIns.Count);
        Assert.Single(_server.CheckIns.Select(c => (c.BootToken, c.Nonce)).Distinct());
    }

    [Fact]
    public async Task A_second_process_of_the_same_boot_goes_on_under_the_first_ones_token()
    {
        await _machine.RunAsync(_server.CommandLine());
        await _machine.RunAsync(_server.CommandLine());

        Assert.Single(_server.CheckIns);
        Assert.Equal(2, _server.Results.Count);
    }

    [Fact]
    public async Task A_refused_check_in_is_shown_in_the_servers_words()
    {
        _server.Intercept = async context =>
        {
            await ScriptedServer.ProblemAsync(context, 403, "wrongMachine", "This machine has serial 5B5RP32, the host pc-07 has 4C4C45.", "Approve the new serial.");
            return true;
        };

        Assert.Equal(11, await _machine.RunAsync(_server.CommandLine()));

        Assert.Contains("task failed wrongMachine server: This machine has serial 5B5RP32, the host pc-07 has 4C4C45.", _machine.Output, StringComparison.Ordinal);
        Assert.Contains("This machine has serial 5B5RP32", _machine.Screen, StringComparison.Ordinal);
        Assert.Contains("Approve the new serial.", _machine.Screen, StringComparison.Ordinal);
        Assert.Single(_server.Requests);
    }

    [Fact]
    public async Task A_refusal_that_is_no_problem_document_still_becomes_a_sentence()
    {
        _server.Intercept = async context =>
        {
            context.Response.StatusCode = 400;
            await context.Response.WriteAsync("<html>nope");
            return true;
        };

        Assert.Equal(11, await _machine.RunAsync(_server.CommandLine()));
        Assert.Contains("task failed serverRefused server: The server refused check-in with 400 Bad Request.", _machine.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_result_is_repeated_until_the_server_has_it()
    {
        var refused = 0;
        _server.Intercept = context =>
        {
            if (!context.Request.Path.Value!.EndsWith("result", StringComparison.Ordinal) || ++refused > 2)
                return Task.FromResult(false);
            context.Response.StatusCode = refused == 1 ? 503 : 500;
            return Task.FromResult(true);
        };

        Assert.Equal(0, await _machine.RunAsync(_server.CommandLine()));
        Assert.Equal(3, refused);
        Assert.Single(_server.Results);
    }

    [Fact]
    public async Task A_result_that_the_server_knows_already_is_not_repeated()
    {
        _server.Intercept = async context =>
        {
            if (!context.Request.Path.Value!.EndsWith("result", StringComparison.Ordinal))
                return false;
            await ScriptedServer.ProblemAsync(context, 409, "taskEnded", "Task 7 has ended.", "Nothing to do.");
            return true;
        };

        Assert.Equal(0, await _machine.RunAsync(_server.CommandLine()));
        Assert.Equal(1, _server.Requests.Count(r => r.EndsWith("result", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_job_cancelled_on_the_server_stops_the_task_within_seconds_and_restarts_the_machine()
    {
        Deploy();
        _server.Intercept = HangAt("deploy/manifest");
        var run = _machine.RunAsync(_server.CommandLine());
        await Until(() => _server.Requests.Contains("GET deploy/manifest"));
        _server.Cancelled = true;

        Assert.Equal(0, await run.WaitAsync(TimeSpan.FromSeconds(8)));
        Assert.Equal(HostTaskState.Cancelled, Assert.Single(_server.Results).State);
        Assert.Contains("imageforge: task cancelled", _machine.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_task_token_that_was_taken_over_ends_the_task_in_the_servers_words()
    {
        Deploy();
        var hang = HangAt("deploy/manifest");
        _server.Intercept = async context =>
        {
            if (!context.Request.Path.Value!.EndsWith("progress", StringComparison.Ordinal) || _server.Progress.IsEmpty)
                return await hang(context);
            await ScriptedServer.ProblemAsync(context, 401, "taskTokenRevoked", "Another start of this machine has taken the task over.", "Look at the other machine.");
            return true;
        };

        Assert.Equal(11, await _machine.RunAsync(_server.CommandLine()).WaitAsync(TimeSpan.FromSeconds(15)));
        Assert.Contains("task failed taskTokenRevoked server: Another start", _machine.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_manifest_with_another_hash_than_the_jobs_is_refused_and_nothing_is_written()
    {
        var disk = Deploy();
        _server.Manifest = [1, 2, 3];

        Assert.Equal(11, await _machine.RunAsync(_server.CommandLine()));

        var result = Assert.Single(_server.Results);
        Assert.Equal((HostTaskState.Failed, "manifestMismatch", Fault.Image), (result.State, result.Failure!.Code, result.Failure.Fault));
        Assert.Empty(_server.Plans);
        Assert.All(File.ReadAllBytes(disk), b => Assert.Equal(0, b));
    }

    [Fact]
    public async Task A_task_of_a_kind_without_its_settings_fails_and_the_log_has_the_whole_text()
    {
        _server.Task = _server.Task with { Kind = JobKind.Capture };

        Assert.Equal(11, await _machine.RunAsync(_server.CommandLine()));
        Assert.Equal("unknownTask", Assert.Single(_server.Results).Failure!.Code);
        Assert.Contains("at ImageForge.Agent", Assert.Single(_server.Logs), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_machine_without_orders_says_so_on_its_screen_and_stays()
    {
        Assert.Equal(11, await _machine.RunAsync("quiet splash"));
        Assert.Contains("imageforge.server is missing", _machine.Screen, StringComparison.Ordinal);
    }

    private string Deploy()
    {
        _server.Task = new TaskAssignment(7, JobKind.Deploy, "pc-07", AfterTask.Reboot, null, new DeployAssignment("debian", 3, new string('a', 64), null));
        return _machine.AddDisk("sda", 32 << 20);
    }

    private static Func<HttpContext, Task<bool>> HangAt(string path) => async context =>
    {
        if (!context.Request.Path.Value!.EndsWith(path, StringComparison.Ordinal))
            return false;
        await Task.Delay(Timeout.Infinite, context.RequestAborted);
        return true;
    };

    private static async Task Until(Func<bool> condition)
    {
        for (var i = 0; i < 200 && !condition(); i++)
            await Task.Delay(50);
        Assert.True(condition());
    }
}
