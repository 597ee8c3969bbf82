using System.Diagnostics;
using System.Text.Json.Nodes;

namespace ImageForge.Lab.Servers;

/// <summary>A host task as seen through the API.</summary>
public sealed record HostTaskHandle(LabSite Site, long JobId, long TaskId)
{
    public async Task<JsonObject> ReadAsync() =>
        (await Site.Api.GetAsync($"api/v1/host-tasks/{TaskId}"))!["task"]!.AsObject();

    /// <summary>Every change of state with its sentence, for messages.</summary>
    public async Task<string> StoryAsync()
    {
        var detail = (await Site.Api.GetAsync($"api/v1/host-tasks/{TaskId}"))!;
        return $"{detail["task"]!.ToJsonString()}\n{string.Join('\n', detail["events"]!.AsArray().Select(e => e!.ToJsonString()))}";
    }

    /// <summary>Waits until the task has ended, one way or the other.</summary>
    public Task<JsonObject> WaitForEndAsync(TimeSpan limit) =>
        WaitForAsync(task => (string?)task["state"] is "succeeded" or "failed" or "cancelled", "to end", limit);

    public async Task<JsonObject> WaitForSuccessAsync(TimeSpan limit)
    {
        var task = await WaitForEndAsync(limit);
        return (string?)task["state"] == "succeeded"
            ? task
            : throw new LabException($"the task did not succeed: {await StoryAsync()}\nlogs are in {Repository.LogFolder}");
    }

    /// <param name="what">Ends the sentence "the task took too long …".</param>
    public async Task<JsonObject> WaitForAsync(Func<JsonObject, bool> condition, string what, TimeSpan limit)
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            // A server that is down just now is part of many tests.
            try
            {
                var task = await ReadAsync();
                if (condition(task))
                    return task;
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException && clock.Elapsed < limit)
            {
            }
            if (clock.Elapsed > limit)
                throw new LabException($"the task took more than {limit.TotalSeconds:0} s {what}: {await StoryAsync()}\nlogs are in {Repository.LogFolder}");
            await Task.Delay(250);
        }
    }

    /// <summary>Waits until about so many bytes of the transfer are done, while the task is still under way.</summary>
    public Task<JsonObject> WaitForProgressAsync(long bytes, TimeSpan limit) =>
        WaitForAsync(task => (string?)task["state"] == "transferring" && (long)task["bytesDone"]! >= bytes, $"to transfer {bytes} bytes", limit);

    public Task CancelAsync() => Site.Api.PostAsync($"api/v1/jobs/{JobId}/cancel", null);
}
