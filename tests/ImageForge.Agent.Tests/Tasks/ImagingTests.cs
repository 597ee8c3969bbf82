using ImageForge.Agent.Tests.Server;
using ImageForge.Contracts;

namespace ImageForge.Agent.Tests.Tasks;

/// <summary>Captures and deploys that come to their end, also when the server does not.</summary>
public sealed class ImagingTests : ImagingScene
{
    [Fact]
    public async Task What_was_captured_is_deployed_byte_for_byte()
    {
        await CaptureAsync();

        Assert.NotEmpty(_server.Manifest);
        Assert.Equal(_content, File.ReadAllBytes(_machine.PathOf("source.img")));
        var captured = Assert.Single(_server.Results);
        Assert.Equal(_server.Chunks.Values.Sum(c => c.Length) + _server.Manifest.Length, captured.BytesSent);

        using var target = new StagedMachine();
        var disk = target.AddDisk("target", DiskSize);
        Deploy();
        Assert.Equal(0, await target.RunAsync(_server.CommandLine()));

        Assert.Equal(_content, File.ReadAllBytes(disk));
        var plan = Assert.Single(_server.Plans);
        Assert.Equal(("target", (long)DiskSize), (plan.DiskName, plan.DiskSizeBytes));
        Assert.Contains("imageforge: task succeeded", target.Output, StringComparison.Ordinal);
        Assert.Contains("imageforge: Erases everything on target", target.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_second_capture_sends_nothing()
    {
        await CaptureAsync();
        var sent = Puts();
        using var again = new StagedMachine();
        File.WriteAllBytes(again.AddDisk("source", DiskSize), _content);

        Assert.Equal(0, await again.RunAsync(_server.CommandLine()));
        Assert.Equal(sent, Puts());
    }

    [Fact]
    public async Task A_server_killed_during_a_capture_and_started_again_is_sent_only_what_it_lacks()
    {
        var killed = false;
        _server.Intercept = KillAtChunk("PUT", 60, () => killed = true);
        var run = CaptureAsync();
        await Until(() => killed);
        var heldBefore = _server.Chunks.Count;
        await _server.KillAsync();
        _server.Intercept = null;
        await Task.Delay(1500);
        Assert.False(run.IsCompleted);
        await _server.StartAsync();
        await run;

        Assert.InRange(heldBefore, 50, 200);
        // What was in flight when the server died is sent again, nothing else.
        Assert.InRange(Puts() - _server.Chunks.Count, 1, 16);
        Assert.Equal(HostTaskState.Succeeded, Assert.Single(_server.Results).State);
    }

    [Fact]
    public async Task A_server_killed_during_a_deploy_and_started_again_is_asked_to_go_on()
    {
        await CaptureAsync();
        Deploy();
        using var target = new StagedMachine();
        var disk = target.AddDisk("target", DiskSize);
        var killed = false;
        _server.Intercept = KillAtChunk("GET", 60, () => killed = true);
        var run = target.RunAsync(_server.CommandLine());
        await Until(() => killed);
        await _server.KillAsync();
        _server.Intercept = null;
        await Task.Delay(1500);
        Assert.False(run.IsCompleted);
        await _server.StartAsync();

        Assert.Equal(0, await run);
        Assert.Equal(_content, File.ReadAllBytes(disk));
        Assert.Single(_server.Plans);
        // The plan knows how many chunks there are; only those in flight were asked for twice.
        Assert.InRange(_server.Requests.Count(r => r.StartsWith("GET deploy/chunks/", StringComparison.Ordinal)) - DataChunks(), 1, 16);
    }

    [Fact]
    public async Task A_full_server_disk_ends_the_capture_in_the_servers_words()
    {
        var sentence = "The server's disk is full: 12 bytes are free.";
        _server.Intercept = Answering("capture/chunks/", "PUT", 40, context => ScriptedServer.ProblemAsync(context, 507, "serverDiskFull", sentence, "Free space."));

        Assert.Equal(11, await RunCaptureAsync());

        var result = Assert.Single(_server.Results);
        Assert.Equal(new Failure("serverDiskFull", Fault.Server, sentence, "Free space."), result.Failure);
        Assert.Contains($"imageforge: task failed serverDiskFull server: {sentence}", _machine.Output, StringComparison.Ordinal);
        Assert.Contains("Failed (serverDiskFull). The cause is on this side: the server", _machine.Screen, StringComparison.Ordinal);
        Assert.Empty(_server.Manifest);
    }

    [Fact]
    public async Task A_cancelled_capture_stops_at_the_first_refused_chunk()
    {
        _server.Intercept = Answering("capture/chunks/", "PUT", 20, context =>
        {
            _server.Cancelled = true;
            return ScriptedServer.ProblemAsync(context, 409, "cancelled", "The task was cancelled.", "Nothing to do.", Fault.Cancelled);
        });

        Assert.Equal(0, await RunCaptureAsync().WaitAsync(TimeSpan.FromSeconds(20)));
        Assert.Equal(HostTaskState.Cancelled, Assert.Single(_server.Results).State);
    }

    [Fact]
    public async Task What_the_server_lost_before_sealing_is_sent_again()
    {
        var lost = 0;
        _server.Intercept = async context =>
        {
            if (!context.Request.Path.Value!.EndsWith("capture/manifest", StringComparison.Ordinal) || lost > 0)
                return false;
            foreach (var id in _server.Chunks.Keys.Take(5))
                lost += _server.Chunks.TryRemove(id, out _) ? 1 : 0;
            await ScriptedServer.ProblemAsync(context, 422, "chunksMissing", "The store lacks 5 chunks that the manifest names.", "Ask again.");
            return true;
        };

        await CaptureAsync();
        Assert.Equal(5, lost);
        Assert.Equal(_server.Chunks.Count + 5, Puts());
    }

    [Fact]
    public async Task An_interrupted_deploy_resumes_and_fetches_no_more_than_the_rest()
    {
        await CaptureAsync();
        Deploy();
        using var target = new StagedMachine();
        var disk = target.AddDisk("target", DiskSize);
        // Late: what was fetched and not yet written, some 60 chunks when the disk is slow, is fetched again.
        _server.Intercept = Answering("deploy/chunks/", "GET", 280, context => ScriptedServer.ProblemAsync(context, 401, "tokenRevoked", "x", "y"));
        Assert.Equal(11, await target.RunAsync(_server.CommandLine()));
        _server.Intercept = null;
        Directory.Delete(target.PathOf("state"), recursive: true);
        var before = _server.Requests.Count(r => r.StartsWith("GET deploy/chunks/", StringComparison.Ordinal));

        Assert.Equal(0, await target.RunAsync(_server.CommandLine()));

        Assert.Equal(_content, File.ReadAllBytes(disk));
        Assert.True(_server.Plans.Last().Resuming);
        Assert.Contains("task 7", _server.CheckIns.Last().FoundResumeRecord, StringComparison.Ordinal);
        var fetched = _server.Requests.Count(r => r.StartsWith("GET deploy/chunks/", StringComparison.Ordinal)) - before;
        Assert.InRange(fetched, 1, DataChunks() - 100);
    }
}
