using System.Net;
using System.Text;
using ImageForge.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace ImageForge.Server.Tests.Errors;

public sealed class ErrorTests
{
    [Theory]
    [InlineData("GET", "api/v1/hosts/nonsense", 400)]
    [InlineData("GET", "api/v1/hosts?state=broken", 400)]
    [InlineData("GET", "api/v1/hosts?limit=many", 400)]
    [InlineData("GET", "api/v1/jobs/4711", 404)]
    [InlineData("GET", "api/v1/jobs/x", 404)]
    [InlineData("PUT", "api/v1/jobs", 405)]
    [InlineData("GET", "api/v1/host-tasks/1", 404)]
    [InlineData("DELETE", "api/v1/tokens/4711", 404)]
    public async Task Every_refusal_is_a_problem_with_a_hint(string method, string path, int status)
    {
        await using var server = await TestServer.StartAsync();
        var client = await server.AdminAsync();
        var response = await client.SendAsync(new HttpRequestMessage(new HttpMethod(method), path));
        var problem = await response.JsonAsync((HttpStatusCode)status);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
        foreach (var member in new[] { "type", "title", "detail", "hint", "code" })
            Assert.NotEmpty(problem.Text(member));
        Assert.DoesNotMatch(@"System\.|Nullable|ImageForge\.Server|   at ", problem.GetRawText());
    }

    [Fact]
    public async Task A_body_that_is_not_json_is_said_to_be_so()
    {
        await using var server = await TestServer.StartAsync();
        var client = await server.AdminAsync();
        var response = await client.PostAsync("api/v1/jobs", new StringContent("kind=deploy", Encoding.UTF8, "application/x-www-form-urlencoded"));
        Assert.Equal("unsupportedMediaType", (await response.JsonAsync(HttpStatusCode.UnsupportedMediaType)).Text("code"));
    }

    [Fact]
    public async Task A_fault_of_ours_says_nothing_of_the_inside()
    {
        await using var server = await TestServer.StartAsync();
        var client = await StartBrokenAsync(server, new InvalidOperationException("secret path /root/x"));
        var problem = await client.GetAsync("api/v1/broken", HttpStatusCode.InternalServerError);
        Assert.Equal("unexpected", problem.Text("code"));
        Assert.DoesNotContain("secret", problem.GetRawText(), StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", problem.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_known_failure_keeps_its_side_sentence_and_cure()
    {
        await using var server = await TestServer.StartAsync();
        var client = await StartBrokenAsync(server, new FailureException("storeGone", Fault.Server, "The store is gone.", "Mount it."));
        var problem = await client.GetAsync("api/v1/broken", HttpStatusCode.InternalServerError);
        Assert.Equal(("storeGone", "server", "The store is gone.", "Mount it."),
            (problem.Text("code"), problem.Text("fault"), problem.Text("detail"), problem.Text("hint")));
    }

    [Fact]
    public async Task Random_bodies_never_make_a_fault_of_ours()
    {
        const int seed = 4711;
        var random = new Random(seed);
        await using var server = await TestServer.StartAsync();
        var client = await server.AdminAsync();
        string[] paths = ["api/v1/jobs", "api/v1/hosts", "api/v1/tokens", "api/v1/session", "api/v1/setup"];
        string[] pieces = ["{", "}", "[", "]", "\"kind\"", "\"hosts\"", "\"name\"", "\"macs\"", ":", ",", "null", "1e999", "-1", "\"deploy\"", "\"\\u0000\"", "\"\\ud800\"", "true", "\"x\"", " "];
        for (var i = 0; i < 300; i++)
        {
            var body = string.Concat(Enumerable.Range(0, random.Next(20)).Select(_ => pieces[random.Next(pieces.Length)]));
            var response = await client.PostAsync(paths[i % paths.Length], new StringContent(body, Encoding.UTF8, "application/json"));
            Assert.True((int)response.StatusCode is >= 400 and < 500, $"seed {seed}, round {i}: {(int)response.StatusCode} for {body}");
        }
    }

    private static async Task<HttpClient> StartBrokenAsync(TestServer server, Exception fault)
    {
        // Routes can be added to a running application; this one does what no route of ours does on purpose.
        server.App.MapGet("/api/v1/broken", (Func<string>)(() => throw fault));
        return await server.AdminAsync();
    }
}
