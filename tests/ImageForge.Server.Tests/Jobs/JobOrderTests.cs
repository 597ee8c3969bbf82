using System.Net;
using System.Net.Http.Json;

namespace ImageForge.Server.Tests.Jobs;

public sealed class JobOrderTests
{
    [Fact]
    public async Task A_deploy_without_a_version_uses_the_newest_and_says_which()
    {
        await using var scene = await JobScene.StartAsync();
        var made = await scene.Client.PostAsync("api/v1/jobs", new { kind = "deploy", hosts = new[] { JobScene.Mac(1), "52-54-00-00-00-02" }, image = "debian-12", after = "powerOff" }, HttpStatusCode.Created);
        var job = made.GetProperty("job");
        Assert.Equal(2, job.GetProperty("imageVersion").GetInt32());
        Assert.Equal("powerOff", job.GetProperty("parameters").Text("after"));
        Assert.Equal(["lab-1", "lab-2"], made.GetProperty("tasks").EnumerateArray().Select(t => t.Text("hostName")));
        var read = await scene.Client.GetAsync($"api/v1/jobs/{job.GetProperty("id").GetInt64()}", HttpStatusCode.OK);
        Assert.Equal(made.GetRawText(), read.GetRawText());
    }

    [Fact]
    public async Task A_capture_keeps_its_parameters()
    {
        await using var scene = await JobScene.StartAsync();
        var made = await scene.Client.PostAsync("api/v1/jobs",
            new { kind = "capture", hosts = new[] { JobScene.Mac(1) }, image = "new-one", chunkSize = 262144, level = 7, disk = "WD-1234" }, HttpStatusCode.Created);
        var parameters = made.GetProperty("job").GetProperty("parameters");
        Assert.Equal((262144, 7, "WD-1234"), (parameters.GetProperty("chunkSize").GetInt32(), parameters.GetProperty("level").GetInt32(), parameters.Text("disk")));
    }

    [Fact]
    public async Task A_wrong_word_is_answered_with_the_right_ones()
    {
        await using var scene = await JobScene.StartAsync();
        var problem = await scene.Client.PostAsync("api/v1/jobs", new { kind = "format", hosts = new[] { JobScene.Mac(1) } }, HttpStatusCode.BadRequest);
        Assert.Contains("\"kind\"", problem.Text("detail"), StringComparison.Ordinal);
        Assert.Contains("capture, deploy, inventory", problem.Text("hint"), StringComparison.Ordinal);
        problem = await scene.Client.PostAsync("api/v1/jobs", new { kind = "deploy", hosts = new[] { JobScene.Mac(1) }, colour = "red" }, HttpStatusCode.BadRequest);
        Assert.Contains("\"colour\"", problem.Text("detail"), StringComparison.Ordinal);
        problem = await scene.Client.PostAsync("api/v1/jobs", new { kind = "deploy" }, HttpStatusCode.BadRequest);
        Assert.Contains("hosts", problem.Text("detail"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_discovered_host_gets_no_job()
    {
        await using var scene = await JobScene.StartAsync();
        await scene.Server.Get<ImageForge.Server.Hosts.HostStore>().RecordSightingsAsync(
            [new(Contracts.MacAddress.Parse("52:54:00:00:00:77"), null, null, null, null, null, null, null, "10.0.0.1")], CancellationToken.None);
        var problem = await scene.Client.PostAsync("api/v1/jobs", new { kind = "inventory", hosts = new[] { "52:54:00:00:00:77" } }, HttpStatusCode.Conflict);
        Assert.Equal("hostNotApproved", problem.Text("code"));
    }

    [Fact]
    public async Task A_host_has_one_unfinished_task_and_a_job_is_all_or_nothing()
    {
        await using var scene = await JobScene.StartAsync();
        await scene.OrderAsync(2);
        var problem = await scene.Client.PostAsync("api/v1/jobs", new { kind = "inventory", hosts = new[] { JobScene.Mac(1), JobScene.Mac(2) } }, HttpStatusCode.Conflict);
        Assert.Equal("hostBusy", problem.Text("code"));
        Assert.Contains("lab-2", problem.Text("detail"), StringComparison.Ordinal);
        await scene.Client.PostAsync("api/v1/jobs", new { kind = "inventory", hosts = new[] { JobScene.Mac(1) } }, HttpStatusCode.Created);
    }

    [Fact]
    public async Task Two_macs_of_one_machine_are_one_task()
    {
        await using var scene = await JobScene.StartAsync();
        await scene.Client.PostAsync("api/v1/hosts", new { name = "two-nics", macs = new[] { "52:54:00:00:01:01", "52:54:00:00:01:02" } }, HttpStatusCode.Created);
        var made = await scene.Client.PostAsync("api/v1/jobs", new { kind = "inventory", hosts = new[] { "52:54:00:00:01:01", "52:54:00:00:01:02" } }, HttpStatusCode.Created);
        Assert.Equal(1, made.GetProperty("tasks").GetArrayLength());
    }

    [Fact]
    public async Task A_repeated_idempotency_key_answers_with_the_same_job_and_another_request_under_it_is_refused()
    {
        await using var scene = await JobScene.StartAsync();
        var first = await (await SendAsync(scene, "key-1", 1)).JsonAsync(HttpStatusCode.Created);
        var again = await (await SendAsync(scene, "key-1", 1)).JsonAsync(HttpStatusCode.OK);
        Assert.Equal(first.GetProperty("job").GetProperty("id").GetInt64(), again.GetProperty("job").GetProperty("id").GetInt64());
        Assert.Equal("idempotencyKeyUsed", (await (await SendAsync(scene, "key-1", 2)).JsonAsync(HttpStatusCode.Conflict)).Text("code"));
        await (await SendAsync(scene, "key-2", 2)).JsonAsync(HttpStatusCode.Created);
    }

    [Fact]
    public async Task Ten_orders_at_once_under_one_key_make_one_job()
    {
        await using var scene = await JobScene.StartAsync();
        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => SendAsync(scene, "same", 1)));
        Assert.Equal(1, answers.Count(a => a.StatusCode == HttpStatusCode.Created));
        Assert.Equal(9, answers.Count(a => a.StatusCode == HttpStatusCode.OK));
    }

    [Fact]
    public async Task The_list_is_paged_newest_first_with_counts_per_state()
    {
        await using var scene = await JobScene.StartAsync();
        for (var i = 1; i <= 3; i++)
            await scene.OrderAsync(i);
        var page = await scene.Client.GetAsync("api/v1/jobs?limit=2", HttpStatusCode.OK);
        Assert.Equal(3, page.GetProperty("total").GetInt64());
        Assert.Equal([3L, 2L], page.GetProperty("items").EnumerateArray().Select(j => j.GetProperty("job").GetProperty("id").GetInt64()));
        Assert.Equal("queued", page.GetProperty("items")[0].GetProperty("tasks")[0].Text("state"));
        Assert.False(page.GetProperty("items")[0].GetProperty("finished").GetBoolean());
    }

    private static Task<HttpResponseMessage> SendAsync(JobScene scene, string key, int host) => scene.Client.SendAsync(new HttpRequestMessage(HttpMethod.Post, "api/v1/jobs")
    {
        Headers = { { "Idempotency-Key", key } },
        Content = JsonContent.Create(new { kind = "deploy", hosts = new[] { JobScene.Mac(host) }, image = "debian-12" }),
    });
}
