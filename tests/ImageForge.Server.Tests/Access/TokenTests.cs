using System.Net;
using Dapper;
using ImageForge.Server.Access;
using ImageForge.Server.Data;

namespace ImageForge.Server.Tests.Access;

public sealed class TokenTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    private TestServer Server => fixture.Server;

    [Fact]
    public async Task A_token_is_shown_once_and_kept_as_a_hash()
    {
        var admin = await Server.AdminAsync();
        var made = await admin.PostAsync("api/v1/tokens", new { name = "script", scopes = new[] { "read" } }, HttpStatusCode.Created);
        var secret = made.Text("secret");
        Assert.Matches("^ifk_[A-Za-z0-9_-]{43}$", secret);
        Assert.DoesNotContain(secret, (await admin.GetAsync("api/v1/tokens", HttpStatusCode.OK)).GetRawText(), StringComparison.Ordinal);
        foreach (var file in Directory.GetFiles(Server.DataFolder, "imageforge.db*").Where(f => !f.EndsWith("-shm", StringComparison.Ordinal)))
        {
            await using var reading = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            var content = new byte[reading.Length];
            await reading.ReadExactlyAsync(content);
            Assert.DoesNotContain(secret, System.Text.Encoding.Latin1.GetString(content), StringComparison.Ordinal);
        }
        await Server.WithToken(secret).GetAsync("api/v1/hosts", HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("read", HttpStatusCode.OK, HttpStatusCode.Forbidden, HttpStatusCode.Forbidden)]
    [InlineData("operate", HttpStatusCode.OK, HttpStatusCode.BadRequest, HttpStatusCode.Forbidden)]
    [InlineData("admin", HttpStatusCode.OK, HttpStatusCode.BadRequest, HttpStatusCode.OK)]
    public async Task A_scope_reaches_so_far(string scope, HttpStatusCode reading, HttpStatusCode ordering, HttpStatusCode administering)
    {
        var client = await Server.WithScopeAsync(scope);
        await client.GetAsync("api/v1/jobs", reading);
        await client.PostAsync("api/v1/jobs", new { kind = "capture", hosts = Array.Empty<string>() }, ordering);
        await client.GetAsync("api/v1/tokens", administering);
    }

    [Fact]
    public async Task An_expired_or_deleted_or_altered_token_opens_nothing()
    {
        var admin = await Server.AdminAsync();
        var made = await admin.PostAsync("api/v1/tokens", new { name = "short", scopes = new[] { "read" }, expiresInDays = 1 }, HttpStatusCode.Created);
        var client = Server.WithToken(made.Text("secret"));
        await client.GetAsync("api/v1/hosts", HttpStatusCode.OK);
        await Server.WithToken(made.Text("secret") + "A").GetAsync("api/v1/hosts", HttpStatusCode.Unauthorized);
        await Server.WithToken(made.Text("secret")[..^1]).GetAsync("api/v1/hosts", HttpStatusCode.Unauthorized);

        var other = await admin.PostAsync("api/v1/tokens", new { name = "deleted", scopes = new[] { "read" } }, HttpStatusCode.Created);
        var deleted = Server.WithToken(other.Text("secret"));
        await deleted.GetAsync("api/v1/hosts", HttpStatusCode.OK);
        Assert.Equal(HttpStatusCode.NoContent, (await admin.DeleteAsync($"api/v1/tokens/{other.GetProperty("token").GetProperty("id").GetInt64()}")).StatusCode);
        await deleted.GetAsync("api/v1/hosts", HttpStatusCode.Unauthorized);

        Server.Clock.Advance(TimeSpan.FromHours(25));
        var problem = await client.GetAsync("api/v1/hosts", HttpStatusCode.Unauthorized);
        Assert.NotEmpty(problem.Text("hint"));
    }

    [Fact]
    public async Task Last_use_is_written_at_most_once_a_minute()
    {
        var (token, secret) = await Server.Get<ApiTokenStore>().CreateAsync("used", [Scopes.Read], null, null, CancellationToken.None);
        var client = Server.WithToken(secret);
        await client.GetAsync("api/v1/hosts", HttpStatusCode.OK);
        var first = await LastUsedAsync(token.Id);
        Assert.NotNull(first);
        Server.Clock.Advance(TimeSpan.FromSeconds(30));
        await client.GetAsync("api/v1/hosts", HttpStatusCode.OK);
        Assert.Equal(first, await LastUsedAsync(token.Id));
        Server.Clock.Advance(TimeSpan.FromSeconds(31));
        await client.GetAsync("api/v1/hosts", HttpStatusCode.OK);
        Assert.NotEqual(first, await LastUsedAsync(token.Id));
    }

    [Theory]
    [InlineData("{\"name\":\"x\",\"scopes\":[]}", "badScope")]
    [InlineData("{\"name\":\"x\",\"scopes\":[\"root\"]}", "badScope")]
    [InlineData("{\"name\":\" \",\"scopes\":[\"read\"]}", "badName")]
    [InlineData("{\"name\":\"x\",\"scopes\":[\"read\"],\"expiresInDays\":0}", "badExpiry")]
    public async Task A_senseless_token_is_refused(string body, string code)
    {
        var admin = await Server.AdminAsync();
        var response = await admin.PostAsync("api/v1/tokens", new StringContent(body, System.Text.Encoding.UTF8, "application/json"));
        Assert.Equal(code, (await response.JsonAsync(HttpStatusCode.BadRequest)).Text("code"));
    }

    private async Task<long?> LastUsedAsync(long id)
    {
        await using var connection = await Server.Get<Database>().OpenAsync(CancellationToken.None);
        return await connection.ExecuteScalarAsync<long?>("SELECT last_used_at FROM api_tokens WHERE id = @id", new { id });
    }
}
