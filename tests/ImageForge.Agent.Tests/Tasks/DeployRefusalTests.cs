using ImageForge.Agent.Tests.Server;
using ImageForge.Contracts;

namespace ImageForge.Agent.Tests.Tasks;

/// <summary>Deploys that must not write, or must not count as done.</summary>
public sealed class DeployRefusalTests : ImagingScene
{
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
}
