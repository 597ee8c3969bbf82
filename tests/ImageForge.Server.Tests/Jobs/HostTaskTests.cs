using System.Net;
using System.Text.Json;
using ImageForge.Contracts;
using ImageForge.Server.Jobs;

namespace ImageForge.Server.Tests.Jobs;

public sealed class HostTaskTests
{
    [Fact]
    public async Task A_task_from_order_to_success_leaves_its_history()
    {
        await using var scene = await JobScene.StartAsync();
        var (_, id) = await scene.OrderAsync();
        await scene.Tasks.MoveAsync(id, HostTaskState.Booting, "The boot script was fetched", CancellationToken.None);
        await scene.CheckInAsync(id);
        foreach (var state in new[] { HostTaskState.Preparing, HostTaskState.Transferring, HostTaskState.Verifying, HostTaskState.Finishing })
            Assert.False(await scene.ProgressAsync(id, state, 500));
        Assert.Equal(Transition.Moved, await FinishAsync(scene, id, HostTaskState.Succeeded));

        var detail = await scene.Client.GetAsync($"api/v1/host-tasks/{id}", HttpStatusCode.OK);
        Assert.Equal(["queued", "booting", "checkedIn", "preparing", "transferring", "verifying", "finishing", "succeeded"],
            detail.GetProperty("events").EnumerateArray().Select(e => e.Text("state")));
        Assert.Equal("all good", detail.GetProperty("task").Text("summary"));
        Assert.Null(await scene.Tasks.FindActiveForHostAsync((await scene.FindAsync(id)).HostId, CancellationToken.None));
    }

    [Fact]
    public async Task A_repeated_result_changes_nothing_and_a_late_report_is_told_to_stop()
    {
        await using var scene = await JobScene.StartAsync();
        var (_, id) = await scene.OrderAsync();
        await scene.CheckInAsync(id);
        Assert.Equal(Transition.Moved, await FinishAsync(scene, id, HostTaskState.Succeeded));
        Assert.Equal(Transition.Unchanged, await FinishAsync(scene, id, HostTaskState.Succeeded));
        Assert.Equal(Transition.Illegal, await FinishAsync(scene, id, HostTaskState.Failed));
        Assert.True(await scene.ProgressAsync(id, HostTaskState.Transferring, 1));
        Assert.Equal(3, (await scene.Tasks.ListEventsAsync(id, CancellationToken.None)).Count);
    }

    [Fact]
    public async Task A_failure_reaches_the_api_unchanged()
    {
        await using var scene = await JobScene.StartAsync();
        var (_, id) = await scene.OrderAsync();
        await scene.CheckInAsync(id);
        var failure = new Failure("diskTooSmall", Fault.Disk, "The disk has 120 GB, the image needs 256 GB.", "Choose a larger disk.");
        await scene.Tasks.FinishAsync(id, new TaskResult(HostTaskState.Failed, failure, "", 0, 0, 0, 0), CancellationToken.None);
        var shown = (await scene.Client.GetAsync($"api/v1/host-tasks/{id}", HttpStatusCode.OK)).GetProperty("task").GetProperty("failure");
        Assert.Equal(("diskTooSmall", "disk", failure.Sentence, failure.Cure), (shown.Text("code"), shown.Text("fault"), shown.Text("sentence"), shown.Text("cure")));
    }

    [Fact]
    public async Task What_a_success_stands_for_reaches_the_api_with_its_notes()
    {
        await using var scene = await JobScene.StartAsync();
        var (_, id) = await scene.OrderAsync();
        await scene.CheckInAsync(id);
        var proof = new TaskProof(new string('a', 64), 3, 1200, 5_000_000_000, 4_900_000_000);
        await scene.Tasks.FinishAsync(id, new TaskResult(HostTaskState.Succeeded, null, "done", 1, 2, 3, 4, proof, ["Added the boot entry Boot0001."]), CancellationToken.None);

        var task = (await scene.Client.GetAsync($"api/v1/host-tasks/{id}", HttpStatusCode.OK)).GetProperty("task");
        Assert.Equal(proof, JsonSerializer.Deserialize(task.GetProperty("proof").GetRawText(), AgentJson.Default.TaskProof));
        Assert.Equal("Added the boot entry Boot0001.", Assert.Single(task.GetProperty("notes").EnumerateArray()).GetString());
    }

    [Fact]
    public async Task A_failed_task_proves_nothing_whatever_its_agent_says()
    {
        await using var scene = await JobScene.StartAsync();
        var (_, id) = await scene.OrderAsync();
        await scene.CheckInAsync(id);
        await scene.Tasks.FinishAsync(id, new TaskResult(HostTaskState.Failed, null, "", 0, 0, 0, 0, new TaskProof("x", 1, 1, 1, 1)), CancellationToken.None);

        var task = (await scene.Client.GetAsync($"api/v1/host-tasks/{id}", HttpStatusCode.OK)).GetProperty("task");
        Assert.False(task.TryGetProperty("proof", out var shown) && shown.ValueKind != JsonValueKind.Null);
    }

    [Fact]
    public async Task Progress_is_kept_and_nonsense_in_it_does_no_harm()
    {
        await using var scene = await JobScene.StartAsync();
        var (job, id) = await scene.OrderAsync();
        await scene.CheckInAsync(id);
        await scene.ProgressAsync(id, HostTaskState.Transferring, 250);
        var task = (await scene.Client.GetAsync($"api/v1/jobs/{job}", HttpStatusCode.OK)).GetProperty("tasks")[0];
        Assert.Equal((0.25, 100.0, "volume 1"), (task.GetProperty("progress").GetDouble(), task.GetProperty("bytesPerSecond").GetDouble(), task.Text("detail")));

        await scene.Tasks.RecordProgressAsync(id, new ProgressReport(HostTaskState.Succeeded, -5, -9, -1, double.NaN, new string('x', 5000) + "\0"), CancellationToken.None);
        var after = await scene.FindAsync(id);
        Assert.Equal((HostTaskState.Transferring, 0L, 0L, 0.0, 128), (after.State, after.BytesDone, after.BytesTotal, after.BytesPerSecond, after.Detail!.Length));
    }

    [Fact]
    public async Task A_silent_agent_makes_the_task_stalled_and_a_word_from_it_ends_that()
    {
        await using var scene = await JobScene.StartAsync();
        var (job, id) = await scene.OrderAsync();
        await scene.CheckInAsync(id);
        await scene.ProgressAsync(id, HostTaskState.Transferring, 250);
        Assert.False(await StalledAsync());
        scene.Server.Clock.Advance(TimeSpan.FromSeconds(31));
        Assert.True(await StalledAsync());
        Assert.Equal(HostTaskState.Transferring, (await scene.FindAsync(id)).State);
        await scene.ProgressAsync(id, HostTaskState.Transferring, 300);
        Assert.False(await StalledAsync());

        async Task<bool> StalledAsync() =>
            (await scene.Client.GetAsync($"api/v1/jobs/{job}", HttpStatusCode.OK)).GetProperty("tasks")[0].GetProperty("stalled").GetBoolean();
    }

    [Fact]
    public async Task A_new_check_in_revokes_the_token_of_the_agent_before()
    {
        await using var scene = await JobScene.StartAsync();
        var (_, id) = await scene.OrderAsync();
        byte[] first = new byte[32], second = [.. Enumerable.Repeat((byte)7, 32)];
        await scene.Tasks.CheckInAsync(id, first, null, null, null, false, null, CancellationToken.None);
        Assert.Equal(id, (await scene.Tasks.FindByTokenHashAsync(first, CancellationToken.None))!.Id);
        await scene.Tasks.CheckInAsync(id, second, null, null, null, true, null, CancellationToken.None);
        Assert.Null(await scene.Tasks.FindByTokenHashAsync(first, CancellationToken.None));
        Assert.Equal(id, (await scene.Tasks.FindByTokenHashAsync(second, CancellationToken.None))!.Id);
    }

    [Fact]
    public async Task Five_resumes_without_progress_are_borne_and_the_sixth_fails_the_task()
    {
        await using var scene = await JobScene.StartAsync();
        var (_, id) = await scene.OrderAsync();
        await scene.CheckInAsync(id);
        await scene.ProgressAsync(id, HostTaskState.Transferring, 100);
        // The first resume follows progress; each of the next five gets just as far as before.
        for (var i = 0; i < 6; i++)
        {
            Assert.Equal(CheckInOutcome.CheckedIn, await scene.CheckInAsync(id, resumed: true));
            Assert.Equal(i, (await scene.FindAsync(id)).ResumesWithoutProgress);
            await scene.ProgressAsync(id, HostTaskState.Transferring, 100);
        }
        Assert.Equal(CheckInOutcome.NoProgress, await scene.CheckInAsync(id, resumed: true));
        var task = await scene.FindAsync(id);
        Assert.Equal((HostTaskState.Failed, "noProgress"), (task.State, task.Failure!.Code));
    }

    [Fact]
    public async Task Progress_between_resumes_starts_the_count_anew()
    {
        await using var scene = await JobScene.StartAsync();
        var (_, id) = await scene.OrderAsync();
        await scene.CheckInAsync(id);
        for (var i = 1; i <= 20; i++)
        {
            await scene.ProgressAsync(id, HostTaskState.Transferring, i);
            Assert.Equal(CheckInOutcome.CheckedIn, await scene.CheckInAsync(id, resumed: true));
            Assert.Equal(0, (await scene.FindAsync(id)).ResumesWithoutProgress);
        }
    }

    [Fact]
    public async Task A_lost_check_in_transaction_leaves_the_task_as_it_was()
    {
        await using var scene = await JobScene.StartAsync();
        var (_, id) = await scene.OrderAsync();
        await Assert.ThrowsAsync<InvalidOperationException>(() => scene.Server.Get<ImageForge.Server.Data.Database>().WriteAsync(async (_, transaction) =>
        {
            await scene.Tasks.CheckInAsync(id, new byte[32], null, null, null, false, transaction, CancellationToken.None);
            throw new InvalidOperationException("the boot token turned out to be used");
        }, CancellationToken.None));
        Assert.Equal(HostTaskState.Queued, (await scene.FindAsync(id)).State);
        Assert.Single(await scene.Tasks.ListEventsAsync(id, CancellationToken.None));
    }

    [Fact]
    public async Task A_plan_is_kept_and_refused_once_the_task_is_to_be_cancelled()
    {
        await using var scene = await JobScene.StartAsync();
        var (job, id) = await scene.OrderAsync();
        await scene.CheckInAsync(id);
        var plan = new DeployPlan("sda", "Disk", "S1", 1 << 30, 512, false, [new PlannedVolume(1, "EFI", "fat32", 1 << 20, 1 << 28, 1 << 20)], 5, 5, "Erases sda (Disk, S1)");
        Assert.True(await scene.Tasks.SavePlanAsync(id, plan, CancellationToken.None));
        Assert.Equal("Erases sda (Disk, S1)", (await scene.Client.GetAsync($"api/v1/host-tasks/{id}", HttpStatusCode.OK)).GetProperty("task").GetProperty("plan").Text("erases"));
        await scene.Client.PostAsync($"api/v1/jobs/{job}/cancel", null, HttpStatusCode.OK);
        Assert.False(await scene.Tasks.SavePlanAsync(id, plan, CancellationToken.None));
    }

    [Fact]
    public async Task A_result_is_synced_to_the_disk_by_its_commit_and_other_writes_are_not()
    {
        await using var scene = await JobScene.StartAsync();
        var (_, id) = await scene.OrderAsync();
        await scene.CheckInAsync(id);
        var database = scene.Server.Get<ImageForge.Server.Data.Database>();
        await database.WriteAsync((connection, transaction) => Dapper.SqlMapper.ExecuteAsync(connection,
            """
            CREATE TABLE seen (state TEXT, synchronous INTEGER);
            CREATE TRIGGER watch AFTER UPDATE OF state ON host_tasks BEGIN
                INSERT INTO seen SELECT NEW.state, synchronous FROM pragma_synchronous;
            END;
            """, transaction: transaction), CancellationToken.None);
        await scene.ProgressAsync(id, HostTaskState.Transferring, 1);
        await FinishAsync(scene, id, HostTaskState.Succeeded);
        await using var connection = await database.OpenAsync(CancellationToken.None);
        var seen = await Dapper.SqlMapper.QueryAsync<(string, long)>(connection, "SELECT state, synchronous FROM seen");
        Assert.Equal([("transferring", 1L), ("succeeded", 2L)], seen);
        Assert.Equal(1, await Dapper.SqlMapper.ExecuteScalarAsync<long>(connection, "PRAGMA synchronous"));
    }

    private static Task<Transition> FinishAsync(JobScene scene, long id, HostTaskState state) =>
        scene.Tasks.FinishAsync(id, new TaskResult(state, null, "all good", 1, 2, 3, 4), CancellationToken.None);
}
