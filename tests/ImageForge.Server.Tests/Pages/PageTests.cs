using System.Net;
using System.Text.RegularExpressions;
using ImageForge.Server.Configuration;

namespace ImageForge.Server.Tests.Pages;

public sealed class PageTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    [Theory]
    [InlineData("", "text/html")]
    [InlineData("setup", "text/html")]
    [InlineData("login", "text/html")]
    [InlineData("status.js", "text/javascript")]
    [InlineData("style.css", "text/css")]
    [InlineData("icon.svg", "image/svg+xml")]
    public async Task The_pages_are_served_without_a_login(string path, string type)
    {
        var response = await fixture.Server.Anonymous().GetAsync(path);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(type, response.Content.Headers.ContentType!.MediaType);
    }

    [Theory]
    [InlineData("", HttpStatusCode.OK)]
    [InlineData("api/v1/hosts", HttpStatusCode.Unauthorized)]
    [InlineData("healthz", HttpStatusCode.OK)]
    [InlineData("openapi/v1.json", HttpStatusCode.OK)]
    public async Task Every_answer_carries_the_security_headers_errors_too(string path, HttpStatusCode expected)
    {
        var response = await fixture.Server.Anonymous().GetAsync(path);
        Assert.Equal(expected, response.StatusCode);
        var policy = Assert.Single(response.Headers.GetValues("Content-Security-Policy"));
        Assert.Contains("default-src 'none'", policy, StringComparison.Ordinal);
        Assert.Contains("script-src 'self'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.Equal("nosniff", Assert.Single(response.Headers.GetValues("X-Content-Type-Options")));
        Assert.Equal("DENY", Assert.Single(response.Headers.GetValues("X-Frame-Options")));
        Assert.False(response.Headers.Contains("Server"));
    }

    [Fact]
    public async Task What_the_api_says_is_not_cached() =>
        Assert.True((await (await fixture.Server.AdminAsync()).GetAsync("api/v1/hosts")).Headers.CacheControl!.NoStore);

    [Theory]
    [InlineData("..%2f..%2fetc%2fpasswd")]
    [InlineData("%2e%2e/ImageForge.Server.dll")]
    [InlineData("../appsettings.json")]
    [InlineData("README.md")]
    public async Task Nothing_outside_the_pages_is_served(string path)
    {
        using var socket = new System.Net.Sockets.TcpClient();
        await socket.ConnectAsync("127.0.0.1", fixture.Server.HttpsBase.Port);
        // A raw request: HttpClient would tidy the path up before sending it.
        await using var tls = new System.Net.Security.SslStream(socket.GetStream(), false, (_, certificate, _, _) => certificate is not null);
        await tls.AuthenticateAsClientAsync("localhost");
        await tls.WriteAsync(System.Text.Encoding.ASCII.GetBytes($"GET /{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
        var status = await new StreamReader(tls).ReadLineAsync();
        Assert.Matches("^HTTP/1.1 40[0-9]", status);
    }

    [Fact]
    public void No_page_needs_inline_script_or_style_and_no_script_writes_markup()
    {
        var folder = new ServerOptions().WebPath;
        Assert.NotEmpty(Directory.GetFiles(folder, "*.html"));
        foreach (var file in Directory.GetFiles(folder, "*.html"))
        {
            var text = File.ReadAllText(file);
            Assert.DoesNotMatch(new Regex(@"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)", RegexOptions.IgnoreCase), text);
        }
        foreach (var file in Directory.GetFiles(folder, "*.js"))
            Assert.DoesNotMatch(new Regex(@"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|\.style\b"), File.ReadAllText(file));
    }

    /// <summary>The images' list once became a page with items and the status page went blank: what its scripts read must stay.</summary>
    [Theory]
    [InlineData("hosts?limit=1000", "items,total")]
    [InlineData("jobs?limit=25", "items,total")]
    [InlineData("images?limit=1000", "items,total")]
    [InlineData("events?limit=30", "items,total")]
    [InlineData("boot-services", "settings,services")]
    [InlineData("boot-services", "settings.interface,settings.dhcp,settings.tftp,services.0.name,services.0.state,services.0.listens,services.0.counters")]
    [InlineData("network-interfaces", "0.name,0.addresses,0.up,0.loopback")]
    [InlineData("session", "name,scopes")]
    [InlineData("tokens", "0.name,0.scopes,0.createdAt")]
    public async Task What_the_status_page_reads_is_there(string address, string members)
    {
        var answer = await (await fixture.Server.AdminAsync()).GetAsync($"api/v1/{address}", HttpStatusCode.OK);
        foreach (var member in members.Split(','))
        {
            var place = answer;
            foreach (var step in member.Split('.'))
                place = int.TryParse(step, out var index) ? place[index] : place.GetProperty(step);
        }
    }

    [Fact]
    public async Task The_openapi_document_names_the_addresses_enums_and_scopes()
    {
        var document = await fixture.Server.Anonymous().GetAsync("openapi/v1.json", HttpStatusCode.OK);
        var order = document.GetProperty("paths").GetProperty("/api/v1/jobs").GetProperty("post");
        Assert.Contains("operate", order.Text("description"), StringComparison.Ordinal);
        Assert.Equal(["capture", "deploy", "inventory"],
            document.GetProperty("components").GetProperty("schemas").GetProperty("JobKind").GetProperty("enum").EnumerateArray().Select(e => e.GetString()));
        Assert.All(document.GetProperty("paths").EnumerateObject(), p => Assert.StartsWith("/api/v1/", p.Name, StringComparison.Ordinal));
    }
}
