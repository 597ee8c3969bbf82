using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using ImageForge.Server.Access;
using ImageForge.Server.Tests.Agents;

namespace ImageForge.Server.Tests.Multicasting;

public sealed class MulticastSettingsTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    private const string Address = "api/v1/multicast/settings";

    private static Task<HttpResponseMessage> PutAsync(HttpClient client, string json) => client.PutAsync(Address, new StringContent(json, System.Text.Encoding.UTF8, "application/json"));

    [Fact]
    public async Task The_defaults_stay_on_the_segment_and_fit_a_packet()
    {
        await using var server = await TestServer.StartAsync();
        var view = await (await server.AdminAsync()).GetAsync(Address, HttpStatusCode.OK);
        var (settings, effect) = (view.GetProperty("settings"), view.GetProperty("effect"));
        Assert.Equal(("ipv4", 1, 1500, 5), (settings.Text("family"), settings.GetProperty("ttl").GetInt32(), settings.GetProperty("mtu").GetInt32(), settings.GetProperty("patienceSeconds").GetInt32()));
        Assert.Equal(("239.255.73.0/24", 1408, 44), (effect.Text("groups"), effect.GetProperty("fragmentBytes").GetInt32(), effect.GetProperty("batch").GetInt32()));
        Assert.Equal(JsonValueKind.Null, effect.GetProperty("interface").ValueKind);
    }

    [Theory]
    [InlineData("""{"mtu":1500,"family":"ipv6"}""", 1408, 44)]
    [InlineData("""{"mtu":9000}""", 8896, 7)]
    [InlineData("""{"mtu":9000,"family":"ipv6"}""", 8896, 7)]
    [InlineData("""{"mtu":1280,"batch":16}""", 1152, 16)]
    public async Task Fragments_fill_the_packets_of_the_mtu(string json, int fragment, int batch)
    {
        var effect = (await (await PutAsync(await fixture.Server.AdminAsync(), json)).JsonAsync(HttpStatusCode.OK)).GetProperty("effect");
        Assert.Equal((fragment, batch), (effect.GetProperty("fragmentBytes").GetInt32(), effect.GetProperty("batch").GetInt32()));
    }

    [Theory]
    [InlineData("""{"groups":"224.0.1.0/24"}""", "groups", "239.0.0.0/8")]
    [InlineData("""{"groups":"239.0.0.0/7"}""", "groups", "239.0.0.0/8")]
    [InlineData("""{"groups":"239.255.73.0/33"}""", "groups", "no range of groups")]
    [InlineData("""{"groups":"everywhere"}""", "groups", "no range of groups")]
    [InlineData("""{"groups":"239.0.0.0/16"}""", "groups", "every port")]
    [InlineData("""{"groups":"239.128.0.7/32"}""", "groups", "every port")]
    [InlineData("""{"groups":"ff15::/112"}""", "groups", "239.0.0.0/8")]
    [InlineData("""{"family":"ipv6","groups":"239.255.0.0/16"}""", "groups", "ff10::/12")]
    [InlineData("""{"family":"ipv6","groups":"ff02::/112"}""", "groups", "ff10::/12")]
    [InlineData("""{"family":"ipv6","groups":"ff11::/112"}""", "groups", "scope")]
    [InlineData("""{"family":"ipv6","groups":"ff1e::/112"}""", "groups", "scope")]
    [InlineData("""{"firstPort":80}""", "ports", "1024")]
    [InlineData("""{"firstPort":30200,"lastPort":30100}""", "ports", "before")]
    [InlineData("""{"lastPort":70000}""", "ports", "65535")]
    [InlineData("""{"ttl":0}""", "ttl", "TTL")]
    [InlineData("""{"ttl":256}""", "ttl", "TTL")]
    [InlineData("""{"mtu":576}""", "mtu", "576")]
    [InlineData("""{"mtu":16000}""", "mtu", "16000")]
    [InlineData("""{"batch":0}""", "batch", "0 packets")]
    [InlineData("""{"batch":65}""", "batch", "65 packets")]
    [InlineData("""{"megabitsPerSecond":0.5}""", "bandwidth", "Mbit/s")]
    [InlineData("""{"patienceSeconds":0}""", "patience", "0 s")]
    [InlineData("""{"interface":"nosuch0"}""", "interface", "nosuch0")]
    public async Task Settings_that_cannot_work_are_refused_with_a_cure_and_nothing_changes(string json, string code, string sentence)
    {
        var admin = await fixture.Server.AdminAsync();
        var before = (await admin.GetAsync(Address, HttpStatusCode.OK)).GetRawText();
        var problem = await (await PutAsync(admin, json)).ShouldBeAsync(400, code);
        Assert.Contains(sentence, problem.Detail, StringComparison.Ordinal);
        Assert.Equal(before, (await admin.GetAsync(Address, HttpStatusCode.OK)).GetRawText());
    }

    [Theory]
    [InlineData("""{"family":"ipv5"}""")]
    [InlineData("""{"megabitsPerSecond":"fast"}""")]
    [InlineData("""{"colour":"red"}""")]
    public async Task What_is_not_a_setting_is_refused(string json) => await (await PutAsync(await fixture.Server.AdminAsync(), json)).JsonAsync(HttpStatusCode.BadRequest);

    [Fact]
    public async Task Settings_survive_a_restart_and_are_an_event()
    {
        await using var server = await TestServer.StartAsync();
        var saved = await (await (await server.AdminAsync()).PutAsJsonAsync(Address, new { @interface = " lo ", ttl = 3, groups = "239.192.1.0/24", megabitsPerSecond = 300, batch = 16 })).JsonAsync(HttpStatusCode.OK);
        Assert.Equal("lo", saved.GetProperty("effect").Text("interface"));
        await server.RestartAsync();
        Assert.Equal(saved.GetRawText(), (await (await server.AdminAsync()).GetAsync(Address, HttpStatusCode.OK)).GetRawText());
        Assert.Contains("239.192.1.0/24, ports 30100 to 30199, TTL 3, lo, MTU 1500, 300 Mbit/s", Assert.Single(await CheckInTests.EventsAsync(server, "multicastSettings")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Changing_them_needs_an_administrator_and_stopping_a_session_an_operator()
    {
        var reader = await fixture.Server.WithScopeAsync(Scopes.Read);
        var operating = await fixture.Server.WithScopeAsync(Scopes.Operate);
        await reader.GetAsync(Address, HttpStatusCode.OK);
        await (await PutAsync(operating, "{}")).JsonAsync(HttpStatusCode.Forbidden);
        await reader.PostAsync("api/v1/sessions/1/stop", null, HttpStatusCode.Forbidden);
        await operating.PostAsync("api/v1/sessions/1/stop", null, HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task The_openapi_document_has_the_addresses_with_their_words()
    {
        var document = await fixture.Server.Anonymous().GetAsync("openapi/v1.json", HttpStatusCode.OK);
        var paths = document.GetProperty("paths");
        foreach (var (path, method) in new[] { ("sessions", "get"), ("sessions/{id}", "get"), ("sessions/{id}/start", "post"), ("sessions/{id}/stop", "post"), ("multicast/settings", "get"), ("multicast/settings", "put") })
            Assert.False(string.IsNullOrEmpty(paths.GetProperty($"/api/v1/{path}").GetProperty(method).Text("summary")));
        var schemas = document.GetProperty("components").GetProperty("schemas");
        foreach (var (name, word) in new[] { ("SessionState", "waiting"), ("SenderState", "sending"), ("MemberLimit", "disk"), ("MulticastFamily", "ipv6"), ("MulticastStart", "scheduled"), ("SessionEnd", "stopped") })
        {
            Assert.True(schemas.TryGetProperty(name, out var schema), $"{name} is none of {string.Join(", ", schemas.EnumerateObject().Select(s => s.Name))}");
            Assert.Contains(word, schema.GetProperty("enum").EnumerateArray().Select(e => e.GetString()));
        }
        Assert.True(schemas.GetProperty("CreateJobRequest").GetProperty("properties").TryGetProperty("multicast", out _));
        Assert.True(schemas.GetProperty("HostTaskView").GetProperty("properties").TryGetProperty("multicast", out _));
    }
}
