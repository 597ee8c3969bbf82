using System.Net;
using System.Text.Json;
using ImageForge.Imaging.Chunks;
using ImageForge.Server.Data;
using ImageForge.Server.Images;
using ImageForge.Server.ImageStore;
using ImageForge.Server.StoreCare;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace ImageForge.Server.Tests.StoreCare;

/// <summary>A disk that fails while the store is verified, and which versions may call themselves verified then.</summary>
public sealed class UnreadableTests
{
    private static readonly string[] NoNight = ["Store:SweepHour=-1", "Store:Grace=00:00:00"];

    [Fact]
    public async Task A_storm_of_read_errors_ends_the_verification_and_costs_no_chunk()
    {
        var disk = new FailingDisk { All = true };
        await using var server = await TestServer.StartAsync(disk.Replace, NoNight);
        var (first, second) = await SweepTests.TwoVersionsAsync(server);
        var client = await server.AdminAsync();
        var run = await VerifyAsync(client);
        Assert.Equal("failed", run.Text("state"));
        Assert.Equal((16, 0), Counts(run));
        Assert.Contains("16 chunks in a row", run.GetProperty("progress").Text("problem"), StringComparison.Ordinal);
        Assert.Equal((false, false), await VerifiedAsync(server));

        // The night after.
        await SweepTests.SweepAsync(client);
        disk.All = false;
        run = await VerifyAsync(client);
        Assert.Equal(("done", first.Union(second).Count()), (run.Text("state"), run.GetProperty("progress").GetProperty("chunksGood").GetInt32()));
        Assert.Equal((true, true), await VerifiedAsync(server));
    }

    [Fact]
    public async Task A_version_with_one_unreadable_chunk_is_not_called_verified()
    {
        var disk = new FailingDisk();
        await using var server = await TestServer.StartAsync(disk.Replace, NoNight);
        var (first, second) = await SweepTests.TwoVersionsAsync(server);
        disk.One = first.Except(second).First();
        var run = await VerifyAsync(await server.AdminAsync());
        Assert.Equal("done", run.Text("state"));
        Assert.Equal((1, 0), Counts(run));
        Assert.Equal((false, true), await VerifiedAsync(server));
    }

    [Fact]
    public async Task What_was_sealed_after_the_beginning_is_not_called_verified()
    {
        await using var server = await TestServer.StartAsync(NoNight);
        await SweepTests.TwoVersionsAsync(server);
        var versions = server.Get<ImageVersions>();
        var first = (await versions.FindAsync("lab", 1, default))!;
        // A restart near the end: nothing of version 2 was hashed.
        var from = new VerifyProgress(FoldersDone: 65_535, NewestVersion: first.Id);
        await server.Get<StoreVerification>().RunAsync(new VerifyRequest(), from, static _ => { }, default);
        Assert.Equal((true, false), await VerifiedAsync(server));
    }

    [Fact]
    public async Task Progress_is_recorded_again_after_a_write_that_failed()
    {
        await using var server = await TestServer.StartAsync(NoNight);
        var database = server.Get<Database>();
        var desk = new SteppedDesk(server.Get<StoreRuns>());
        await ExecuteAsync(database, "CREATE TRIGGER full BEFORE UPDATE ON store_runs BEGIN SELECT RAISE(ABORT, 'full'); END");
        Assert.True(await desk.StartAsync(new VerifyRequest(), "test", default));
        await desk.ReportAsync(new VerifyProgress(FoldersDone: 1));
        await Task.Delay(300);
        await ExecuteAsync(database, "DROP TRIGGER full");
        await desk.ReportAsync(new VerifyProgress(FoldersDone: 2));
        var recorded = 0;
        for (var i = 0; i < 200 && recorded != 2; i++)
        {
            await Task.Delay(20);
            recorded = (await server.Get<StoreRuns>().LastAsync(StoreRunKind.Verification, StoreCareJson.Default.VerifyRequest, StoreCareJson.Default.VerifyProgress, default))!.Progress.FoldersDone;
        }
        Assert.Equal(2, recorded);
        await desk.CancelAsync();
    }

    private static Task<int> ExecuteAsync(Database database, string sql) =>
        database.WriteAsync((connection, transaction) => Dapper.SqlMapper.ExecuteAsync(connection, sql, transaction: transaction), default);

    private static (int Unreadable, int Bad) Counts(JsonElement run) =>
        (run.GetProperty("progress").GetProperty("chunksUnreadable").GetInt32(), run.GetProperty("progress").GetProperty("chunksBad").GetInt32());

    private static async Task<(bool First, bool Second)> VerifiedAsync(TestServer server)
    {
        var versions = server.Get<ImageVersions>();
        return ((await versions.FindAsync("lab", 1, default))!.VerifiedAt is not null, (await versions.FindAsync("lab", 2, default))!.VerifiedAt is not null);
    }

    private static async Task<JsonElement> VerifyAsync(HttpClient client)
    {
        await client.PostAsync("api/v1/store/verify", null, HttpStatusCode.Accepted);
        for (var i = 0; ; i++)
        {
            var run = await client.GetAsync("api/v1/store/verify", HttpStatusCode.OK);
            if (run.Text("state") != "running" || i == 600)
                return run;
            await Task.Delay(50);
        }
    }

    /// <summary>Fails the reads of the verification: all, or those of one chunk.</summary>
    private sealed class FailingDisk
    {
        public volatile bool All;

        public ChunkId? One { get; set; }

        public void Replace(WebApplicationBuilder builder) => builder.Services.AddSingleton(services =>
        {
            var store = ActivatorUtilities.CreateInstance<ChunkStore>(services);
            var read = store.Read;
            store.Read = (file, buffer, offset) =>
                Thread.CurrentThread.Name == "verify" && (All || One is { } one && new FileInfo($"/proc/self/fd/{file.DangerousGetHandle()}").LinkTarget?.EndsWith(one.ToString(), StringComparison.Ordinal) == true)
                    ? throw new IOException("Input/output error", 5)
                    : read(file, buffer, offset);
            return store;
        });
    }

    /// <summary>Reports what the test says, when it says so.</summary>
    private sealed class SteppedDesk(StoreRuns runs) : CareDesk<VerifyRequest, VerifyProgress>(
        StoreRunKind.Verification, runs, new HurriedClock(), StoreCareJson.Default.VerifyRequest, StoreCareJson.Default.VerifyProgress)
    {
        private readonly TaskCompletionSource<Action<VerifyProgress>> _report = new();

        protected override VerifyProgress First { get; } = new();

        public async Task ReportAsync(VerifyProgress progress) => (await _report.Task)(progress);

        protected override async Task<VerifyProgress> WorkAsync(VerifyRequest request, VerifyProgress from, Action<VerifyProgress> report, CancellationToken cancellationToken)
        {
            _report.SetResult(report);
            await Task.Delay(Timeout.Infinite, cancellationToken);
            return from;
        }

        protected override string? ProblemOf(VerifyProgress progress) => null;

        protected override VerifyProgress WithProblem(VerifyProgress progress, string problem) => progress;

        protected override Task AnnounceAsync(VerifyRequest request, StoreRunState state, VerifyProgress progress, CancellationToken cancellationToken) => Task.CompletedTask;
    }

    /// <summary>A minute passes between any two looks at it.</summary>
    private sealed class HurriedClock : TimeProvider
    {
        private long _looks;

        public override long GetTimestamp() => Interlocked.Increment(ref _looks) * TimestampFrequency * 60;
    }
}
