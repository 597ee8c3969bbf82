using System.Net;
using System.Net.Http.Json;

namespace ImageForge.Server.Tests.Hosts;

public sealed class HostEndpointsTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    private TestServer Server => fixture.Server;

    [Theory]
    [InlineData("52-54-00-AA-00-01")]
    [InlineData("5254.00aa.0001")]
    [InlineData("525400aa0001")]
    [InlineData("01-52-54-00-aa-00-01")]
    public async Task A_mac_is_accepted_in_every_form_and_answered_in_one(string form)
    {
        var client = await Server.AdminAsync();
        await client.PostAsJsonAsync("api/v1/hosts", new { name = "forms", macs = new[] { "52:54:00:aa:00:01" } });
        var host = (await client.GetAsync($"api/v1/hosts/{form}", HttpStatusCode.OK)).GetProperty("host");
        Assert.Equal("52:54:00:aa:00:01", host.GetProperty("macs")[0].GetString());
    }

    [Fact]
    public async Task A_host_is_entered_found_renamed_and_forgotten()
    {
        var client = await Server.AdminAsync();
        var made = await client.PostAsync("api/v1/hosts", new { name = "lab-07", macs = new[] { "52:54:00:aa:00:07", "52:54:00:aa:00:08" } }, HttpStatusCode.Created);
        Assert.Equal("approved", made.Text("state"));
        var changed = await (await client.PatchAsJsonAsync("api/v1/hosts/52:54:00:aa:00:08", new { name = "lab-7b", localBoot = "exit" })).JsonAsync(HttpStatusCode.OK);
        Assert.Equal(("lab-7b", "exit"), (changed.Text("name"), changed.Text("localBoot")));
        changed = await (await client.PatchAsJsonAsync("api/v1/hosts/52:54:00:aa:00:08", new { localBoot = "" })).JsonAsync(HttpStatusCode.OK);
        Assert.Equal(System.Text.Json.JsonValueKind.Null, changed.GetProperty("localBoot").ValueKind);
        Assert.Equal(HttpStatusCode.NoContent, (await client.DeleteAsync("api/v1/hosts/52:54:00:aa:00:07")).StatusCode);
        Assert.Equal("noSuchHost", (await client.GetAsync("api/v1/hosts/52:54:00:aa:00:08", HttpStatusCode.NotFound)).Text("code"));
    }

    [Fact]
    public async Task A_discovered_host_is_approved_and_the_list_can_be_filtered_and_paged()
    {
        var client = await Server.AdminAsync();
        await Server.Get<ImageForge.Server.Hosts.HostStore>().RecordSightingsAsync([.. Enumerable.Range(1, 5).Select(i =>
            new ImageForge.Server.Hosts.HostSighting(Contracts.MacAddress.Parse($"525400bb000{i}"), null, null, null, null, null, null, null, "10.0.0.1"))], CancellationToken.None);
        Assert.Equal("approved", (await client.PostAsync("api/v1/hosts/525400bb0003/approve", null, HttpStatusCode.OK)).Text("state"));
        var page = await client.GetAsync("api/v1/hosts?state=discovered&limit=2&offset=1", HttpStatusCode.OK);
        Assert.Equal(4, page.GetProperty("total").GetInt64());
        Assert.Equal(["52:54:00:bb:00:02", "52:54:00:bb:00:04"], page.GetProperty("items").EnumerateArray().Select(h => h.GetProperty("macs")[0].GetString()));
    }

    [Theory]
    [InlineData("{\"name\":\"x\",\"macs\":[\"nonsense\"]}", "badMac")]
    [InlineData("{\"name\":\"x\",\"macs\":[]}", "badMac")]
    [InlineData("{\"name\":\"x\",\"macs\":[\"ff:ff:ff:ff:ff:ff\"]}", "badMac")]
    [InlineData("{\"name\":\"\",\"macs\":[\"52:54:00:aa:00:21\"]}", "badName")]
    [InlineData("{\"name\":\"x\",\"macs\":[\"52:54:00:aa:00:21\"],\"localBoot\":\"rm -rf /\"}", "badLocalBoot")]
    [InlineData("{\"name\":\"x\",\"macs\":[\"52:54:00:aa:00:21\"],\"colour\":1}", "badJson")]
    [InlineData("{\"name\":\"x\"}", "badJson")]
    [InlineData("{\"name\":null,\"macs\":[\"52:54:00:aa:00:21\"]}", "badJson")]
    public async Task Nonsense_is_refused_with_a_hint(string body, string code)
    {
        var client = await Server.AdminAsync();
        var response = await client.PostAsync("api/v1/hosts", new StringContent(body, System.Text.Encoding.UTF8, "application/json"));
        var problem = await response.JsonAsync(HttpStatusCode.BadRequest);
        Assert.Equal(code, problem.Text("code"));
        Assert.NotEmpty(problem.Text("hint"));
    }

    [Fact]
    public async Task A_mac_belongs_to_one_host()
    {
        var client = await Server.AdminAsync();
        await client.PostAsync("api/v1/hosts", new { name = "first", macs = new[] { "52:54:00:aa:00:31" } }, HttpStatusCode.Created);
        var problem = await client.PostAsync("api/v1/hosts", new { name = "second", macs = new[] { "52:54:00:aa:00:31" } }, HttpStatusCode.Conflict);
        Assert.Equal("macTaken", problem.Text("code"));
    }
}
