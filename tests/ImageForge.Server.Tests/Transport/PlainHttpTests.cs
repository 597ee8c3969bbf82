using System.Net;
using System.Text;

namespace ImageForge.Server.Tests.Transport;

public sealed class PlainHttpTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    private TestServer Server => fixture.Server;

    [Theory]
    [InlineData("healthz")]
    [InlineData("boot.ipxe")]
    [InlineData("boot/52:54:00:00:00:01")]
    public async Task What_firmware_needs_is_served(string path) =>
        Assert.Equal(HttpStatusCode.OK, (await Server.Http().GetAsync(path)).StatusCode);

    [Theory]
    [InlineData("")]
    [InlineData("login")]
    [InlineData("api/v1/hosts?limit=3")]
    [InlineData("openapi/v1.json")]
    [InlineData("agent/v1/deploy/manifest")]
    [InlineData("bootleg")]
    public async Task Everything_else_is_sent_to_https(string path)
    {
        var response = await Server.Http().GetAsync(path);
        Assert.Equal(HttpStatusCode.PermanentRedirect, response.StatusCode);
        Assert.Equal(new Uri(Server.HttpsBase, path), response.Headers.Location);
        Assert.Empty(await response.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task A_password_sent_in_clear_is_refused_not_forwarded()
    {
        var body = new StringContent("{\"name\":\"ada\",\"password\":\"x\"}", Encoding.UTF8, "application/json");
        var response = await Server.Http().PostAsync("api/v1/session", body);
        Assert.Equal("httpsOnly", (await response.JsonAsync(HttpStatusCode.Forbidden)).Text("code"));
    }

    [Fact]
    public async Task An_api_body_of_more_than_a_mebibyte_is_refused()
    {
        var body = new StringContent(new string(' ', 2 << 20), Encoding.UTF8, "application/json");
        var response = await (await Server.AdminAsync()).PostAsync("api/v1/jobs", body);
        Assert.Equal("bodyTooLarge", (await response.JsonAsync(HttpStatusCode.RequestEntityTooLarge)).Text("code"));
    }
}
