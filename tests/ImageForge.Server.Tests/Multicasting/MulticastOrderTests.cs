using System.Net;
using ImageForge.Server.Tests.Jobs;

namespace ImageForge.Server.Tests.Multicasting;

public sealed class MulticastOrderTests
{
    [Fact]
    public async Task A_job_keeps_its_wish_for_multicast()
    {
        await using var scene = await JobScene.StartAsync();
        var made = await scene.Client.PostAsync("api/v1/jobs",
            new { kind = "deploy", hosts = Hosts(3), image = "debian-12", multicast = new { start = "scheduled", waitForHosts = 2, waitMinutes = 5 } }, HttpStatusCode.Created);
        var multicast = made.GetProperty("job").GetProperty("parameters").GetProperty("multicast");
        Assert.Equal(("scheduled", 2, 5), (multicast.Text("start"), multicast.GetProperty("waitForHosts").GetInt32(), multicast.GetProperty("waitMinutes").GetInt32()));
        var read = await scene.Client.GetAsync($"api/v1/jobs/{made.GetProperty("job").GetProperty("id").GetInt64()}", HttpStatusCode.OK);
        Assert.Equal(multicast.GetRawText(), read.GetProperty("job").GetProperty("parameters").GetProperty("multicast").GetRawText());
    }

    public static TheoryData<string, object> Senseless => new()
    {
        { "Only a deploy", new { kind = "capture", hosts = Hosts(1), image = "x", multicast = new { } } },
        { "Only a deploy", new { kind = "inventory", hosts = Hosts(1), multicast = new { } } },
        { "dry run", new { kind = "deploy", hosts = Hosts(1), image = "debian-12", dryRun = true, multicast = new { } } },
        { "waits for nobody", new { kind = "deploy", hosts = Hosts(2), image = "debian-12", multicast = new { waitForHosts = 2 } } },
        { "waits for nobody", new { kind = "deploy", hosts = Hosts(2), image = "debian-12", multicast = new { start = "firstHost", waitMinutes = 2 } } },
        { "cannot wait for 3", new { kind = "deploy", hosts = Hosts(2), image = "debian-12", multicast = new { start = "scheduled", waitForHosts = 3 } } },
        { "cannot wait for 0", new { kind = "deploy", hosts = Hosts(2), image = "debian-12", multicast = new { start = "scheduled", waitForHosts = 0 } } },
        { "waitMinutes", new { kind = "deploy", hosts = Hosts(2), image = "debian-12", multicast = new { start = "scheduled", waitMinutes = 0 } } },
        { "waitMinutes", new { kind = "deploy", hosts = Hosts(2), image = "debian-12", multicast = new { start = "scheduled", waitMinutes = 1441 } } },
    };

    [Theory]
    [MemberData(nameof(Senseless))]
    public async Task A_wish_that_makes_no_sense_is_refused_with_a_cure(string sentence, object request)
    {
        await using var scene = await JobScene.StartAsync();
        var problem = await scene.Client.PostAsync("api/v1/jobs", request, HttpStatusCode.BadRequest);
        Assert.Equal("badMulticast", problem.Text("code"));
        Assert.Contains(sentence, problem.Text("detail"), StringComparison.Ordinal);
        Assert.False(string.IsNullOrWhiteSpace(problem.Text("hint")));
    }

    private static string[] Hosts(int count) => [.. Enumerable.Range(1, count).Select(JobScene.Mac)];
}
