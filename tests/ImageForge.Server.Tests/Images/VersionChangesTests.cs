using System.Net;
using System.Text.Json;
using ImageForge.Contracts;
using ImageForge.Server.Tests.Agents;
using ImageForge.Server.Tests.Jobs;

namespace ImageForge.Server.Tests.Images;

public sealed class VersionChangesTests
{
    private const string Image = "api/v1/images/debian-12";

    [Fact]
    public async Task A_deploy_without_a_version_gets_the_promoted_one_and_a_new_capture_becomes_current()
    {
        await using var server = await TestServer.StartAsync();
        var client = await server.AdminAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        await agent.CaptureWholeAsync("lab", ImagingCalls.DiskContent(1));
        await agent.CaptureWholeAsync("lab", ImagingCalls.DiskContent(2));
        Assert.Equal(2, await CurrentAsync(client));
        var back = await client.PostAsync("api/v1/images/lab/versions/1/promote", null, HttpStatusCode.OK);
        Assert.True(back.GetProperty("current").GetBoolean());
        Assert.Equal(1, await CurrentAsync(client));

        var job = await client.PostAsync("api/v1/jobs", new { kind = "deploy", hosts = new[] { agent.Mac.ToString() }, image = "lab" }, HttpStatusCode.Created);
        Assert.Equal(1, job.GetProperty("job").GetProperty("imageVersion").GetInt32());
        await client.PostAsync($"api/v1/jobs/{job.GetProperty("job").GetProperty("id").GetInt64()}/cancel", null, HttpStatusCode.OK);

        await agent.CaptureWholeAsync("lab", ImagingCalls.DiskContent(3));
        Assert.Equal(3, await CurrentAsync(client));
        await client.PostAsync("api/v1/images/lab/versions/4/promote", null, HttpStatusCode.NotFound);
        await client.PostAsync("api/v1/images/none/versions/1/promote", null, HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task What_is_pinned_current_or_in_use_is_not_deleted_and_every_reason_is_told()
    {
        await using var scene = await JobScene.StartAsync();
        await scene.Client.PostAsync($"{Image}/versions/2/promote", null, HttpStatusCode.OK);
        await scene.Client.PostAsync($"{Image}/versions/2/pin", null, HttpStatusCode.OK);
        var (job, task) = await scene.OrderAsync();
        var refusal = await (await scene.Client.DeleteAsync($"{Image}/versions/2")).JsonAsync(HttpStatusCode.Conflict);
        Assert.Equal(["versionPinned", "versionInUse", "versionCurrent"], refusal.GetProperty("reasons").EnumerateArray().Select(r => r.Text("code")));
        Assert.Contains($"Task {task} of job {job}", refusal.Text("detail"), StringComparison.Ordinal);
        Assert.Equal("versionPinned", refusal.Text("code"));

        await scene.Client.PostAsync($"{Image}/versions/2/unpin", null, HttpStatusCode.OK);
        await scene.Client.PostAsync($"api/v1/jobs/{job}/cancel", null, HttpStatusCode.OK);
        Assert.Equal("versionCurrent", (await (await scene.Client.DeleteAsync($"{Image}/versions/2")).JsonAsync(HttpStatusCode.Conflict)).Text("code"));
        await scene.Client.PostAsync($"{Image}/versions/1/promote", null, HttpStatusCode.OK);
        await (await scene.Client.DeleteAsync($"{Image}/versions/2")).JsonAsync(HttpStatusCode.NoContent);
        await (await scene.Client.DeleteAsync($"{Image}/versions/2")).JsonAsync(HttpStatusCode.NotFound);
        // The last one is current and may go; the job that used version 2 keeps its history.
        await (await scene.Client.DeleteAsync($"{Image}/versions/1")).JsonAsync(HttpStatusCode.NoContent);
        Assert.Equal(2, (await scene.Client.GetAsync($"api/v1/jobs/{job}", HttpStatusCode.OK)).GetProperty("job").GetProperty("imageVersion").GetInt32());
        Assert.Empty((await scene.Client.GetAsync(Image, HttpStatusCode.OK)).GetProperty("versions").EnumerateArray());
    }

    [Fact]
    public async Task The_number_of_a_deleted_version_is_never_given_again()
    {
        await using var server = await TestServer.StartAsync();
        var client = await server.AdminAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        await agent.CaptureWholeAsync("lab", ImagingCalls.DiskContent(1));
        await agent.CaptureWholeAsync("lab", ImagingCalls.DiskContent(2));
        await client.PostAsync("api/v1/images/lab/versions/1/promote", null, HttpStatusCode.OK);
        await (await client.DeleteAsync("api/v1/images/lab/versions/2")).JsonAsync(HttpStatusCode.NoContent);
        Assert.Equal(3, (await agent.CaptureWholeAsync("lab", ImagingCalls.DiskContent(3))).VersionNumber);
    }

    [Fact]
    public async Task A_version_whose_capture_has_not_ended_stays()
    {
        // The machine may lose power before it hears that its version is sealed; it then asks for it again.
        await using var server = await TestServer.StartAsync();
        var client = await server.AdminAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var (_, capture) = await agent.CheckInAsync(await agent.OrderCaptureAsync("lab"));
        var (result, _) = await capture.CaptureAsync(ImagingCalls.DiskContent(1));
        await capture.SealAsync(result.ManifestBytes).ReadAsync(AgentJson.Default.SealReply);
        Assert.Equal("versionInUse", (await (await client.DeleteAsync("api/v1/images/lab/versions/1")).JsonAsync(HttpStatusCode.Conflict)).Text("code"));
        await capture.FinishAsync(HostTaskState.Succeeded);
        await (await client.DeleteAsync("api/v1/images/lab/versions/1")).JsonAsync(HttpStatusCode.NoContent);
    }

    [Fact]
    public async Task An_image_is_deleted_with_all_its_versions_or_not_at_all()
    {
        await using var scene = await JobScene.StartAsync();
        await scene.Client.PostAsync($"{Image}/versions/1/pin", null, HttpStatusCode.OK);
        Assert.Equal("versionPinned", (await (await scene.Client.DeleteAsync(Image)).JsonAsync(HttpStatusCode.Conflict)).Text("code"));
        await scene.Client.PostAsync($"{Image}/versions/1/unpin", null, HttpStatusCode.OK);
        var capture = await scene.Client.PostAsync("api/v1/jobs", new { kind = "capture", hosts = new[] { JobScene.Mac(1) }, image = "debian-12" }, HttpStatusCode.Created);
        Assert.Equal("imageInUse", (await (await scene.Client.DeleteAsync(Image)).JsonAsync(HttpStatusCode.Conflict)).Text("code"));
        Assert.Equal(2, (await scene.Client.GetAsync(Image, HttpStatusCode.OK)).GetProperty("versions").GetArrayLength());
        await scene.Client.PostAsync($"api/v1/jobs/{capture.GetProperty("job").GetProperty("id").GetInt64()}/cancel", null, HttpStatusCode.OK);
        await (await scene.Client.DeleteAsync(Image)).JsonAsync(HttpStatusCode.NoContent);
        await scene.Client.GetAsync(Image, HttpStatusCode.NotFound);
        await (await scene.Client.DeleteAsync(Image)).JsonAsync(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Retention_keeps_the_last_unpinned_the_pinned_and_the_current_version()
    {
        await using var server = await TestServer.StartAsync();
        var client = await server.AdminAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        foreach (var seed in (int[])[1, 2, 3])
            await agent.CaptureWholeAsync("lab", ImagingCalls.DiskContent(seed, 1 << 20));
        await client.PostAsync("api/v1/images/lab/versions/1/pin", null, HttpStatusCode.OK);
        await PutAsync(client, new { keepLast = 0 }, HttpStatusCode.BadRequest);
        await PutAsync(client, new { keepLast = 2 }, HttpStatusCode.NoContent);
        Assert.Equal([3, 2, 1], await NumbersAsync(client));
        await agent.CaptureWholeAsync("lab", ImagingCalls.DiskContent(4, 1 << 20));
        Assert.Equal([4, 3, 1], await NumbersAsync(client));
        await agent.CaptureWholeAsync("lab", ImagingCalls.DiskContent(5, 1 << 20));
        await PutAsync(client, new { keepLast = (int?)null }, HttpStatusCode.NoContent);
        await agent.CaptureWholeAsync("lab", ImagingCalls.DiskContent(6, 1 << 20));
        Assert.Equal([6, 5, 4, 1], await NumbersAsync(client));
        var told = (await client.GetAsync("api/v1/events", HttpStatusCode.OK)).GetProperty("items").EnumerateArray().Where(e => e.Text("kind") == "versionsRetired");
        Assert.Equal(2, told.Count());
    }

    [Theory]
    [InlineData("operate", "DELETE", "versions/2")]
    [InlineData("operate", "DELETE", "")]
    [InlineData("read", "POST", "versions/2/promote")]
    [InlineData("read", "POST", "versions/2/pin")]
    public async Task Who_may_not_change_versions_changes_none(string scope, string method, string path)
    {
        await using var scene = await JobScene.StartAsync();
        var client = await scene.Server.WithScopeAsync(scope);
        using var response = await client.SendAsync(new HttpRequestMessage(new HttpMethod(method), $"{Image}/{path}".TrimEnd('/')));
        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        var image = await client.GetAsync(Image, HttpStatusCode.OK);
        Assert.Equal(2, image.GetProperty("versions").GetArrayLength());
    }

    private static async Task PutAsync(HttpClient client, object body, HttpStatusCode expected) =>
        await (await client.PutAsync("api/v1/images/lab/retention", System.Net.Http.Json.JsonContent.Create(body))).JsonAsync(expected);

    private static async Task<int> CurrentAsync(HttpClient client) => (await client.GetAsync("api/v1/images/lab", HttpStatusCode.OK)).GetProperty("currentVersion").GetInt32();

    private static async Task<IEnumerable<int>> NumbersAsync(HttpClient client) =>
        (await client.GetAsync("api/v1/images/lab", HttpStatusCode.OK)).GetProperty("versions").EnumerateArray().Select(v => v.GetProperty("number").GetInt32());
}
