using System.Security.Cryptography;
using ImageForge.Agent.Tests.Server;
using ImageForge.Contracts;
using Microsoft.AspNetCore.Http;

namespace ImageForge.Agent.Tests.Tasks;

/// <summary>The whole agent capturing and deploying an image file over real HTTPS, with a server that misbehaves.</summary>
public sealed class ImagingTests : IAsyncLifetime, IDisposable
{
    private const int ChunkSize = 64 << 10;
    private const int DiskSize = 24 << 20;

    private readonly ScriptedServer _server = new();
    private readonly StagedMachine _machine = new();
    private readonly byte[] _content = new byte[DiskSize];

    public ImagingTests()
    {
        // No file system known to us: every block counts as used. Half of it compresses, a part is zero, a part occurs twice.
        var random = new Random(11);
        random.NextBytes(_content.AsSpan(0, DiskSize / 2));
        for (var i = DiskSize / 2; i < DiskSize * 3 / 4; i++)
            _content[i] = (byte)(i >> 12);
        _content.AsSpan(0, 1 << 20).CopyTo(_content.AsSpan(DiskSize - (1 << 20)));
    }

    public Task InitializeAsync() => _server.StartAsync();

    public async Task DisposeAsync() => await _server.DisposeAsync();

    public void Dispose() => _machine.Dispose();

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
    public async Task A_chunk_damaged_in_the_store_fails_the_deploy_and_never_counts_as_success()
    {
        await CaptureAsync();
        Deploy();
        var (id, frame) = _server.Chunks.First();
        _server.Chunks[id] = [.. frame.AsSpan(0, frame.Length - 1), (byte)(frame[^1] ^ 1)];
        using var target = new StagedMachine();
        target.AddDisk("target", DiskSize);

        Assert.Equal(11, await target.RunAsync(_server.CommandLine()));

        var failure = _server.Results.Last().Failure!;
        Assert.Equal(("chunkCorrupt", Fault.Image), (failure.Code, failure.Fault));
        Assert.Contains(id, failure.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_chunk_missing_in_the_store_is_noticed_before_anything_is_written()
    {
        await CaptureAsync();
        Deploy();
        _server.Chunks.TryRemove(_server.Chunks.Keys.First(), out _);
        using var target = new StagedMachine();
        var disk = target.AddDisk("target", DiskSize);

        Assert.Equal(11, await target.RunAsync(_server.CommandLine()));
        Assert.Equal("chunkMissing", _server.Results.Last().Failure!.Code);
        Assert.False(File.ReadAllBytes(disk).AsSpan().ContainsAnyExcept((byte)0));
    }

    [Fact]
    public async Task A_disk_that_is_too_small_is_refused_before_anything_is_written_or_the_plan_is_shown()
    {
        await CaptureAsync();
        Deploy();
        using var target = new StagedMachine();
        var disk = target.AddDisk("target", DiskSize / 2);

        Assert.Equal(11, await target.RunAsync(_server.CommandLine()));
        Assert.Equal((HostTaskState.Failed, Fault.Disk), (_server.Results.Last().State, _server.Results.Last().Failure!.Fault));
        Assert.Empty(_server.Plans);
        Assert.False(File.ReadAllBytes(disk).AsSpan().ContainsAnyExcept((byte)0));
    }

    [Fact]
    public async Task A_plan_that_the_server_refuses_writes_nothing()
    {
        await CaptureAsync();
        Deploy();
        _server.PlanReply = new PlanReply(false, "The disks of this machine leave no single target.");
        using var target = new StagedMachine();
        var disk = target.AddDisk("target", DiskSize);

        Assert.Equal(11, await target.RunAsync(_server.CommandLine()));
        Assert.Equal("planRefused", _server.Results.Last().Failure!.Code);
        Assert.Contains("The disks of this machine", target.Screen, StringComparison.Ordinal);
        Assert.False(File.ReadAllBytes(disk).AsSpan().ContainsAnyExcept((byte)0));
    }

    [Fact]
    public async Task A_plan_refused_because_the_job_was_cancelled_ends_as_cancelled()
    {
        await CaptureAsync();
        Deploy();
        _server.PlanReply = new PlanReply(false, "The task was cancelled.");
        _server.Intercept = context =>
        {
            _server.Cancelled |= context.Request.Path.Value!.EndsWith("plan", StringComparison.Ordinal);
            return Task.FromResult(false);
        };
        using var target = new StagedMachine();
        target.AddDisk("target", DiskSize);

        Assert.Equal(0, await target.RunAsync(_server.CommandLine()));
        Assert.Equal(HostTaskState.Cancelled, _server.Results.Last().State);
    }

    [Fact]
    public async Task An_interrupted_deploy_resumes_and_fetches_no_more_than_the_rest()
    {
        await CaptureAsync();
        Deploy();
        using var target = new StagedMachine();
        var disk = target.AddDisk("target", DiskSize);
        _server.Intercept = Answering("deploy/chunks/", "GET", 150, context => ScriptedServer.ProblemAsync(context, 401, "tokenRevoked", "x", "y"));
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

    [Fact]
    public async Task A_second_disk_that_comes_while_the_server_looks_at_the_plan_stops_the_deploy()
    {
        await CaptureAsync();
        Deploy();
        using var target = new StagedMachine();
        var disk = target.AddDisk("target", DiskSize);
        _server.Intercept = AtThePlan(() => target.AddDisk("late", DiskSize));

        Assert.Equal(11, await target.RunAsync(_server.CommandLine()));

        var failure = _server.Results.Last().Failure!;
        Assert.Equal(("targetDiskChanged", Fault.Disk), (failure.Code, failure.Fault));
        Assert.Contains("late", failure.Sentence, StringComparison.Ordinal);
        Assert.False(File.ReadAllBytes(disk).AsSpan().ContainsAnyExcept((byte)0));
        Assert.False(File.ReadAllBytes(target.PathOf("late.img")).AsSpan().ContainsAnyExcept((byte)0));
    }

    [Fact]
    public async Task Another_disk_under_the_name_of_the_agreed_one_is_not_written()
    {
        await CaptureAsync();
        Deploy();
        using var target = new StagedMachine();
        var disk = target.AddDisk("target", DiskSize);
        _server.Intercept = AtThePlan(() =>
        {
            using var file = File.OpenWrite(disk);
            file.SetLength(2 * DiskSize);
        });

        Assert.Equal(11, await target.RunAsync(_server.CommandLine()));

        Assert.Equal("targetDiskChanged", _server.Results.Last().Failure!.Code);
        Assert.False(File.ReadAllBytes(disk).AsSpan().ContainsAnyExcept((byte)0));
    }

    [Fact]
    public async Task The_resume_record_counts_as_it_is_when_the_disk_is_opened_for_writing()
    {
        await CaptureAsync();
        Deploy();
        using var first = new StagedMachine();
        var begun = first.AddDisk("first", DiskSize);
        _server.Intercept = Answering("deploy/chunks/", "GET", 150, async context =>
        {
            // The refusal stops everything at once, also what has been fetched and not yet written: on a busy machine that was all of it.
            for (var i = 0; i < 400 && WrittenMiB(begun) < 3; i++)
                await Task.Delay(50);
            await ScriptedServer.ProblemAsync(context, 401, "tokenRevoked", "x", "y");
        });
        Assert.Equal(11, await first.RunAsync(_server.CommandLine()));
        var before = _server.Requests.Count(r => r.StartsWith("GET deploy/chunks/", StringComparison.Ordinal));
        using var target = new StagedMachine();
        var disk = target.AddDisk("target", DiskSize);
        _server.Intercept = AtThePlan(() => File.WriteAllBytes(disk, File.ReadAllBytes(begun)));

        Assert.Equal(0, await target.RunAsync(_server.CommandLine()));

        Assert.False(_server.Plans.Last().Resuming);
        Assert.Equal(_content, File.ReadAllBytes(disk));
        var fetched = _server.Requests.Count(r => r.StartsWith("GET deploy/chunks/", StringComparison.Ordinal)) - before;
        // A deploy from nothing fetches them all. How much of the first one had reached its disk when it was stopped varies.
        Assert.InRange(fetched, 1, DataChunks() - 16);
    }

    [Fact]
    public async Task Two_disks_and_no_name_in_the_job_are_refused_with_the_list()
    {
        await CaptureAsync();
        Deploy();
        using var target = new StagedMachine();
        target.AddDisk("sda", DiskSize);
        target.AddDisk("sdb", DiskSize);

        Assert.Equal(11, await target.RunAsync(_server.CommandLine()));

        var failure = _server.Results.Last().Failure!;
        Assert.Equal((Fault.Disk, "diskAmbiguous"), (failure.Fault, failure.Code));
        Assert.Contains("sda", failure.Sentence, StringComparison.Ordinal);
        Assert.Contains("sdb", failure.Sentence, StringComparison.Ordinal);
        Assert.DoesNotContain(_server.Requests, r => r.StartsWith("GET deploy/chunks/", StringComparison.Ordinal));
    }

    /// <summary>How many MiB of an empty disk hold something by now, behind the first, where tables and record lie.</summary>
    private static int WrittenMiB(string disk)
    {
        using var file = new FileStream(disk, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var mebibyte = new byte[1 << 20];
        var written = 0;
        for (file.Position = 1 << 20; file.ReadAtLeast(mebibyte, mebibyte.Length, throwOnEndOfStream: false) == mebibyte.Length;)
            written += mebibyte.AsSpan().ContainsAnyExcept((byte)0) ? 1 : 0;
        return written;
    }

    private async Task CaptureAsync() => Assert.Equal(0, await RunCaptureAsync());

    private Task<int> RunCaptureAsync()
    {
        _server.Task = new TaskAssignment(7, JobKind.Capture, "pc-07", AfterTask.Reboot, new CaptureAssignment("debian", ChunkSize, 1, null), null);
        File.WriteAllBytes(_machine.AddDisk("source", DiskSize), _content);
        return _machine.RunAsync(_server.CommandLine());
    }

    private void Deploy() => _server.Task = new TaskAssignment(7, JobKind.Deploy, "pc-07", AfterTask.Reboot, null,
        new DeployAssignment("debian", 3, Convert.ToHexStringLower(SHA256.HashData(_server.Manifest)), null));

    private int Puts() => _server.Requests.Count(r => r.StartsWith("PUT ", StringComparison.Ordinal));

    /// <summary>Chunks that are not zero: half of the disk random, a quarter of patterns, the last MiB a copy of the first.</summary>
    private static int DataChunks() => (DiskSize * 3 / 4 + (1 << 20)) / ChunkSize;

    /// <summary>From the <paramref name="after"/>th matching request on, answers with <paramref name="answer"/>.</summary>
    private static Func<HttpContext, Task<bool>> Answering(string path, string method, int after, Func<HttpContext, Task> answer)
    {
        var seen = 0;
        return async context =>
        {
            if (context.Request.Method != method || !context.Request.Path.Value!.Contains(path, StringComparison.Ordinal) || Interlocked.Increment(ref seen) <= after)
                return false;
            await answer(context);
            return true;
        };
    }

    private static Func<HttpContext, Task<bool>> AtThePlan(Action act) => context =>
    {
        if (context.Request.Path.Value!.EndsWith("task/plan", StringComparison.Ordinal))
            act();
        return Task.FromResult(false);
    };

    private static Func<HttpContext, Task<bool>> KillAtChunk(string method, int after, Action reached) => Answering("/chunks/", method, after, async context =>
    {
        reached();
        await Task.Delay(Timeout.Infinite, context.RequestAborted);
    });

    private static async Task Until(Func<bool> condition)
    {
        for (var i = 0; i < 400 && !condition(); i++)
            await Task.Delay(25);
        Assert.True(condition());
    }
}
