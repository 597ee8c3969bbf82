using System.Diagnostics;
using System.Net;
using System.Text.Json;
using ImageForge.Contracts;
using ImageForge.Server.Hosts;
using ImageForge.Server.Images;
using ImageForge.Server.Jobs;
using ImageForge.Server.Tests.Agents;

namespace ImageForge.Server.Tests.Shrinking;

/// <summary>A smaller version is ordered, made, told in a plan and deployed; e2fsck judges what arrives.</summary>
public sealed class ShrinkTests : IDisposable
{
    private const int Mib = 1 << 20;

    private readonly string _folder = Directory.CreateTempSubdirectory("imageforge-shrink-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_smaller_version_is_made_named_by_the_plan_and_fits_the_smaller_disk()
    {
        await using var server = await TestServer.StartAsync();
        var source = await ScriptedAgent.WithHostAsync(server, "source");
        await source.CaptureWholeAsync("lab", MakeExt4(64 * Mib));
        var client = await server.AdminAsync();
        var target = await ScriptedAgent.WithHostAsync(server, "target");
        target.Inventory = ScriptedAgent.InventoryOf(ScriptedAgent.Disk(size: 40 * Mib)) with { Uuid = "9c1d2d3c-4b5a-4968-8776-655443322119", Serial = "SN-9" };
        await server.Get<HostStore>().SaveInventoryAsync(target.Host.Id, target.Inventory, default);

        var before = await RefusalAsync();
        Assert.Equal("diskTooSmall", before.Text("code"));
        Assert.Contains($"{64 * Mib:N0} bytes", before.Text("sentence"), StringComparison.Ordinal);
        Assert.Contains($"{40 * Mib:N0} bytes", before.Text("sentence"), StringComparison.Ordinal);
        Assert.Contains("/api/v1/images/lab/versions/1/shrink", before.Text("cure"), StringComparison.Ordinal);

        await client.PostAsync("api/v1/images/lab/versions/1/shrink", new { diskBytes = 40 * Mib }, HttpStatusCode.Accepted);
        var run = await EndAsync(client, "api/v1/images/lab/versions/1/shrink");
        Assert.True(run.Text("state") == "succeeded", run.GetRawText());
        Assert.Equal(2, run.GetProperty("result").GetInt32());
        Assert.Empty(Directory.EnumerateFileSystemEntries(server.Get<ImageForge.Server.Data.DataFolder>().Folder("shrinking")));

        var version = (await server.Get<ImageVersions>().FindAsync("lab", 2, default))!;
        Assert.Equal((1, null, 40L * Mib), (version.DerivedFrom, version.TaskId, version.DiskBytes));
        Assert.Equal(1, (await server.Get<ImageVersions>().ListAsync("lab", default))!.Single(v => v.Current).Number);
        Assert.Contains("Deploy version 2", (await RefusalAsync()).Text("cure"), StringComparison.Ordinal);
        // The same order again is answered by what was made.
        Assert.Equal(2, (await client.PostAsync("api/v1/images/lab/versions/1/shrink", new { diskBytes = 40 * Mib }, HttpStatusCode.OK)).GetProperty("result").GetInt32());

        var task = await target.OrderAsync(JobKind.Deploy, new JobParameters(ImageName: "lab", ImageVersion: 2), version.Id);
        var (answer, agent) = await target.CheckInAsync(task);
        var disk = Path.Combine(_folder, "deployed");
        await File.WriteAllBytesAsync(disk, await agent.DeployAsync(answer.Task.Deploy!));
        Assert.Equal(40 * Mib, new FileInfo(disk).Length);
        Run("e2fsck", "-f", "-n", disk);

        async Task<JsonElement> RefusalAsync() =>
            (await client.PostAsync("api/v1/jobs/plan", new { kind = "deploy", hosts = new[] { target.Mac.ToString() }, image = "lab" }, HttpStatusCode.OK))
                .GetProperty("hosts")[0].GetProperty("refusal");
    }

    [Fact]
    public async Task What_a_smaller_version_is_made_from_stays_until_it_is_made_or_cancelled()
    {
        await using var server = await TestServer.StartAsync();
        await (await ScriptedAgent.WithHostAsync(server, "source")).CaptureWholeAsync("lab", MakeExt4(64 * Mib));
        await (await ScriptedAgent.WithHostAsync(server, "source-2")).CaptureWholeAsync("lab", ImagingCalls.DiskContent(7));
        var client = await server.AdminAsync();
        await client.PutAsync("api/v1/images/lab/retention", System.Net.Http.Json.JsonContent.Create(new { keepLast = 1 }));
        const string Shrink = "api/v1/images/lab/versions/1/shrink";
        Assert.Equal("noShrinkRuns", (await client.PostAsync($"{Shrink}/cancel", null, HttpStatusCode.Conflict)).Text("code"));
        long[] sizes = [40, 44, 48, 52];
        foreach (var size in sizes)
            await client.PostAsync(Shrink, new { diskBytes = size * Mib }, HttpStatusCode.Accepted);

        var refusal = await (await client.DeleteAsync("api/v1/images/lab/versions/1")).JsonAsync(HttpStatusCode.Conflict);
        Assert.Equal("versionInUse", refusal.Text("code"));
        Assert.Contains("/shrink/cancel", refusal.Text("hint"), StringComparison.Ordinal);
        // Nor does retention take it: version 1 is beyond the one that is kept.
        Assert.Empty(await server.Get<ImageVersions>().ApplyRetentionAsync("lab", server.Get<ImageForge.Server.Events.EventLog>(), default));

        // One of them alone, then the rest.
        var one = await client.PostAsync($"{Shrink}/cancel?diskBytes={sizes[^1] * Mib}", null, HttpStatusCode.OK);
        Assert.Equal((1, "cancelled"), (one.GetArrayLength(), one[0].Text("state")));
        await client.PostAsync($"{Shrink}/cancel", null, HttpStatusCode.OK);
        var runs = (await client.GetAsync(Shrink, HttpStatusCode.OK)).EnumerateArray().ToList();
        Assert.Equal(4, runs.Count);
        Assert.All(runs, r => Assert.Contains(r.Text("state"), (string[])["cancelled", "succeeded"]));
        Assert.True(runs.Count(r => r.Text("state") == "cancelled") >= 2, string.Join(", ", runs));
        Assert.Empty(Directory.EnumerateFileSystemEntries(server.Get<ImageForge.Server.Data.DataFolder>().Folder("shrinking")));
        await (await client.DeleteAsync("api/v1/images/lab/versions/1")).JsonAsync(HttpStatusCode.NoContent);
        await client.PostAsync($"{Shrink}/cancel", null, HttpStatusCode.NotFound);
        Assert.Equal(HttpStatusCode.Forbidden, (await (await server.WithScopeAsync("read")).PostAsync($"{Shrink}/cancel", null)).StatusCode);
    }

    [Fact]
    public async Task What_cannot_be_shrunk_fails_with_the_reason()
    {
        await using var server = await TestServer.StartAsync();
        await (await ScriptedAgent.WithHostAsync(server, "source")).CaptureWholeAsync("lab", ImagingCalls.DiskContent(81));
        var client = await server.AdminAsync();
        await client.PostAsync("api/v1/images/lab/versions/1/shrink", new { diskBytes = 2 * Mib }, HttpStatusCode.Accepted);
        var run = await EndAsync(client, "api/v1/images/lab/versions/1/shrink");
        Assert.Equal(("failed", "shrinkImpossible"), (run.Text("state"), run.GetProperty("failure").Text("code")));
        Assert.Single((await server.Get<ImageVersions>().ListAsync("lab", default))!);
        await client.PostAsync("api/v1/images/lab/versions/1/shrink", new { diskBytes = 1 }, HttpStatusCode.BadRequest);
        await client.PostAsync("api/v1/images/lab/versions/9/shrink", new { diskBytes = 2 * Mib }, HttpStatusCode.NotFound);
        var reader = await server.WithScopeAsync("read");
        Assert.Equal(HttpStatusCode.Forbidden, (await reader.PostAsync("api/v1/images/lab/versions/1/shrink", new StringContent("{}", System.Text.Encoding.UTF8, "application/json"))).StatusCode);
    }

    private static async Task<JsonElement> EndAsync(HttpClient client, string address)
    {
        for (var i = 0; i < 600; i++)
        {
            var run = (await client.GetAsync(address, HttpStatusCode.OK))[0];
            if (run.Text("state") != "running")
                return run;
            await Task.Delay(200);
        }
        throw new TimeoutException("the smaller version was not made within two minutes");
    }

    private byte[] MakeExt4(long bytes)
    {
        var file = Path.Combine(_folder, "source");
        using (var made = File.Create(file))
            made.SetLength(bytes);
        var content = Directory.CreateDirectory(Path.Combine(_folder, "content")).FullName;
        for (var i = 0; i < 20; i++)
            File.WriteAllBytes(Path.Combine(content, $"file-{i}"), ImagingCalls.DiskContent(i)[..(200 << 10)]);
        Run("mke2fs", "-q", "-F", "-t", "ext4", "-d", content, file);
        return File.ReadAllBytes(file);
    }

    private static void Run(string tool, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("/sbin/" + tool, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var said = process.StandardOutput.ReadToEnd() + process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{tool} ended with {process.ExitCode}: {said}");
    }
}
