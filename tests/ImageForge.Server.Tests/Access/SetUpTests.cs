using System.Net;
using System.Net.Http.Json;
using ImageForge.Server.Access;

namespace ImageForge.Server.Tests.Access;

public sealed class SetUpTests
{
    private const string Password = "correct horse battery";

    [Fact]
    public async Task The_code_of_the_console_makes_the_first_administrator_and_signs_in()
    {
        await using var server = await TestServer.StartAsync();
        var code = await server.Get<SetUpCode>().IssueAsync(CancellationToken.None);
        var client = server.Anonymous();
        Assert.True((await client.GetAsync("api/v1/setup", HttpStatusCode.OK)).GetProperty("needed").GetBoolean());

        var response = await client.PostAsJsonAsync("api/v1/setup", new { code, name = "ada", password = Password });
        await response.JsonAsync(HttpStatusCode.OK);
        Assert.StartsWith("__Host-imageforge=", Assert.Single(response.Headers.GetValues("Set-Cookie")), StringComparison.Ordinal);
        Assert.False((await client.GetAsync("api/v1/setup", HttpStatusCode.OK)).GetProperty("needed").GetBoolean());
        await client.PostAsync("api/v1/session", new { name = "ada", password = Password }, HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_code_works_once()
    {
        await using var server = await TestServer.StartAsync();
        var code = await server.Get<SetUpCode>().IssueAsync(CancellationToken.None);
        var client = server.Anonymous();
        await client.PostAsync("api/v1/setup", new { code, name = "ada", password = Password }, HttpStatusCode.OK);
        var problem = await client.PostAsync("api/v1/setup", new { code, name = "eve", password = Password }, HttpStatusCode.Conflict);
        Assert.Equal("alreadySetUp", problem.Text("code"));
        Assert.Null(await server.Get<SetUpCode>().IssueAsync(CancellationToken.None));
    }

    [Fact]
    public async Task A_restart_voids_the_code_of_the_run_before()
    {
        await using var server = await TestServer.StartAsync();
        var code = await server.Get<SetUpCode>().IssueAsync(CancellationToken.None);
        await server.RestartAsync();
        Assert.NotEqual(code, await server.Get<SetUpCode>().IssueAsync(CancellationToken.None));
        var problem = await server.Anonymous().PostAsync("api/v1/setup", new { code, name = "ada", password = Password }, HttpStatusCode.Forbidden);
        Assert.Equal("wrongCode", problem.Text("code"));
    }

    [Fact]
    public async Task Guessing_the_code_is_stopped_even_when_the_last_guess_is_right()
    {
        await using var server = await TestServer.StartAsync();
        var code = await server.Get<SetUpCode>().IssueAsync(CancellationToken.None);
        var client = server.Anonymous();
        for (var i = 0; i < 10; i++)
            await client.PostAsync("api/v1/setup", new { code = $"guess{i}", name = "eve", password = Password }, HttpStatusCode.Forbidden);
        await client.PostAsync("api/v1/setup", new { code, name = "ada", password = Password }, HttpStatusCode.TooManyRequests);
        server.Clock.Advance(TimeSpan.FromMinutes(6));
        await client.PostAsync("api/v1/setup", new { code, name = "ada", password = Password }, HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("ada", "short", "badPassword")]
    [InlineData("   ", Password, "badName")]
    [InlineData("a\nb", Password, "badName")]
    public async Task A_poor_name_or_password_is_refused_and_the_code_stays_good(string name, string password, string expected)
    {
        await using var server = await TestServer.StartAsync();
        var code = await server.Get<SetUpCode>().IssueAsync(CancellationToken.None);
        var client = server.Anonymous();
        Assert.Equal(expected, (await client.PostAsync("api/v1/setup", new { code, name, password }, HttpStatusCode.BadRequest)).Text("code"));
        await client.PostAsync("api/v1/setup", new { code, name = "ada", password = Password }, HttpStatusCode.OK);
    }

    [Fact]
    public async Task Two_people_with_the_code_at_once_make_one_administrator()
    {
        await using var server = await TestServer.StartAsync();
        var code = await server.Get<SetUpCode>().IssueAsync(CancellationToken.None);
        var client = server.Anonymous();
        var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(i =>
            client.PostAsJsonAsync("api/v1/setup", new { code, name = $"user{i}", password = Password })));
        Assert.Equal(1, answers.Count(a => a.StatusCode == HttpStatusCode.OK));
    }
}
