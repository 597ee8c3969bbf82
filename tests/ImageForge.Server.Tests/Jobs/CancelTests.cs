using System.Net;
using ImageForge.Contracts;
using ImageForge.Server.Jobs;

namespace ImageForge.Server.Tests.Jobs;

public sealed class CancelTests
{
    [Fact]
    public async Task Before_an_agent_is_at_work_a_task_is_cancelled_at_once_and_its_machine_is_turned_away()
    {
        await using var scene = await JobScene.StartAsync();
        var (job, id) = await scene.OrderAsync();
        await scene.Tasks.MoveAsync(id, HostTaskState.Booting, "The boot script was fetched", CancellationToken.None);
        var answer = await scene.Client.PostAsync($"api/v1/jobs/{job}/cancel", null, HttpStatusCode.OK);
        Assert.Equal("cancelled", answer.GetProperty("tasks")[0].Text("state"));
        Assert.True(answer.GetProperty("finished").GetBoolean());
        Assert.Equal(CheckInOutcome.Ended, await scene.CheckInAsync(id));
    }

    [Fact]
    public async Task A_working_agent_is_told_with_its_next_report_and_its_word_ends_the_task()
    {
        await using var scene = await JobScene.StartAsync();
        var (job, id) = await scene.OrderAsync();
        await scene.CheckInAsync(id);
        Assert.False(await scene.ProgressAsync(id, HostTaskState.Transferring, 1));
        var answer = await scene.Client.PostAsync($"api/v1/jobs/{job}/cancel", null, HttpStatusCode.OK);
        Assert.Equal(("transferring", true), (answer.GetProperty("tasks")[0].Text("state"), answer.GetProperty("tasks")[0].GetProperty("cancelRequested").GetBoolean()));
        Assert.True(await scene.ProgressAsync(id, HostTaskState.Transferring, 2));
        // An agent that stops reports Cancelled, or Failed when stopping itself went wrong: people asked to cancel, so Cancelled it is.
        var failure = new Failure("stopped", Fault.Cancelled, "Stopped.", "Nothing to do.");
        Assert.Equal(Transition.Moved, await scene.Tasks.FinishAsync(id, new TaskResult(HostTaskState.Failed, failure, "Stopped", 0, 0, 0, 0), CancellationToken.None));
        Assert.Equal(HostTaskState.Cancelled, (await scene.FindAsync(id)).State);
    }

    [Fact]
    public async Task A_task_that_finished_while_the_wish_to_cancel_was_under_way_succeeded()
    {
        await using var scene = await JobScene.StartAsync();
        var (job, id) = await scene.OrderAsync();
        await scene.CheckInAsync(id);
        await scene.Client.PostAsync($"api/v1/jobs/{job}/cancel", null, HttpStatusCode.OK);
        await scene.Tasks.FinishAsync(id, new TaskResult(HostTaskState.Succeeded, null, "Done", 0, 0, 0, 0), CancellationToken.None);
        Assert.Equal(HostTaskState.Succeeded, (await scene.FindAsync(id)).State);
    }

    [Fact]
    public async Task When_the_agent_is_gone_the_sweep_ends_the_task_after_thirty_silent_seconds()
    {
        await using var scene = await JobScene.StartAsync();
        var (job, id) = await scene.OrderAsync();
        var (_, untouched) = await scene.OrderAsync(2);
        await scene.CheckInAsync(id);
        await scene.CheckInAsync(untouched);
        await scene.Client.PostAsync($"api/v1/jobs/{job}/cancel", null, HttpStatusCode.OK);
        scene.Server.Clock.Advance(TimeSpan.FromSeconds(20));
        Assert.Equal(0, await scene.Tasks.EndSilentCancelledAsync(TimeSpan.FromSeconds(30), CancellationToken.None));
        scene.Server.Clock.Advance(TimeSpan.FromSeconds(11));
        await EventuallyAsync(async () => (await scene.FindAsync(id)).State == HostTaskState.Cancelled);
        Assert.Equal(HostTaskState.CheckedIn, (await scene.FindAsync(untouched)).State);
    }

    [Fact]
    public async Task Cancelling_twice_writes_one_event_and_an_ended_job_stays_as_it_ended()
    {
        await using var scene = await JobScene.StartAsync();
        var (job, id) = await scene.OrderAsync();
        await scene.CheckInAsync(id);
        await scene.Client.PostAsync($"api/v1/jobs/{job}/cancel", null, HttpStatusCode.OK);
        await scene.Client.PostAsync($"api/v1/jobs/{job}/cancel", null, HttpStatusCode.OK);
        Assert.Single(await scene.Tasks.ListEventsAsync(id, CancellationToken.None), e => e.Text.Contains("asked to cancel", StringComparison.Ordinal));
        await scene.Tasks.FinishAsync(id, new TaskResult(HostTaskState.Cancelled, null, "Stopped", 0, 0, 0, 0), CancellationToken.None);
        await scene.Client.PostAsync($"api/v1/jobs/{job}/cancel", null, HttpStatusCode.OK);
        Assert.Equal(HostTaskState.Cancelled, (await scene.FindAsync(id)).State);
        await scene.Client.PostAsync("api/v1/jobs/4711/cancel", null, HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_busy_host_cannot_be_forgotten_and_an_idle_one_goes_with_its_history()
    {
        await using var scene = await JobScene.StartAsync();
        var (job, id) = await scene.OrderAsync();
        Assert.Equal("hostBusy", (await (await scene.Client.DeleteAsync($"api/v1/hosts/{JobScene.Mac(1)}")).JsonAsync(HttpStatusCode.Conflict)).Text("code"));
        await scene.Client.PostAsync($"api/v1/jobs/{job}/cancel", null, HttpStatusCode.OK);
        Assert.Equal(HttpStatusCode.NoContent, (await scene.Client.DeleteAsync($"api/v1/hosts/{JobScene.Mac(1)}")).StatusCode);
        Assert.Null(await scene.Tasks.FindAsync(id, CancellationToken.None));
        Assert.True((await scene.Client.GetAsync($"api/v1/jobs/{job}", HttpStatusCode.OK)).GetProperty("finished").GetBoolean());
    }

    private static async Task EventuallyAsync(Func<Task<bool>> condition)
    {
        for (var i = 0; i < 200; i++)
        {
            if (await condition())
                return;
            await Task.Delay(100);
        }
        Assert.Fail("it did not happen within 20 s");
    }
}
