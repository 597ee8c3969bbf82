using System.Net;
using System.Text.Json;
using ImageForge.Contracts;
using ImageForge.Server.Hosts;
using ImageForge.Server.Tests.Agents;

namespace ImageForge.Server.Tests.Jobs;

public sealed class DeployForesightTests
{
    private static readonly DiskInventory s_small = ScriptedAgent.Disk("nvme0n1", "FAST", size: ScriptedAgent.DiskBytes / 2) with { Bus = "nvme" };
    private static readonly DiskInventory s_fit = ScriptedAgent.Disk("sda", "BIG", size: 2 * ScriptedAgent.DiskBytes) with { Bus = "sata", Rotational = true };

    private static async Task<(TestServer Server, ScriptedAgent Agent, HttpClient Client)> WithImageAsync(params DiskInventory[] disks)
    {
        var server = await TestServer.StartAsync();
        await (await ScriptedAgent.WithHostAsync(server, "source")).CaptureWholeAsync("lab", ImagingCalls.DiskContent(71));
        var target = await ScriptedAgent.WithHostAsync(server, "target");
        if (disks.Length > 0)
            await server.Get<HostStore>().SaveInventoryAsync(target.Host.Id, ScriptedAgent.InventoryOf(disks), default);
        return (server, target, await server.AdminAsync());
    }

    private static async Task<JsonElement> PlanAsync(HttpClient client, ScriptedAgent agent, object? deploy = null, string? disk = null) =>
        await client.PostAsync("api/v1/jobs/plan", new { kind = "deploy", hosts = new[] { agent.Mac.ToString() }, image = "lab", deploy, disk }, HttpStatusCode.OK);

    [Fact]
    public async Task A_plan_needs_no_boot_orders_nothing_and_tells_disk_and_numbers()
    {
        var (server, agent, client) = await WithImageAsync(s_small, s_fit);
        await using var _ = server;
        var forecast = await PlanAsync(client, agent, new { rules = new[] { new { rotational = true } } });
        Assert.Equal(("lab", 1, true), (forecast.Text("image"), forecast.GetProperty("version").GetInt32(), forecast.GetProperty("canRun").GetBoolean()));
        var host = Assert.Single(forecast.GetProperty("hosts").EnumerateArray());
        Assert.Equal(JsonValueKind.Null, host.GetProperty("refusal").ValueKind);
        var plan = host.GetProperty("plan");
        Assert.Equal(("sda", "wholeDisk"), (plan.Text("diskName"), plan.Text("mode")));
        Assert.Equal(ScriptedAgent.DiskBytes, plan.GetProperty("bytesToReadBack").GetInt64());
        Assert.Equal(0, plan.GetProperty("bytesToCompare").GetInt64());
        Assert.Equal(JsonValueKind.Null, plan.GetProperty("found").ValueKind);
        Assert.Contains("last inventory", plan.GetProperty("notes").EnumerateArray().Last().GetString(), StringComparison.Ordinal);
        Assert.Equal(1, (await client.GetAsync("api/v1/jobs", HttpStatusCode.OK)).GetProperty("total").GetInt64());
    }

    [Fact]
    public async Task Refusals_are_those_the_machine_would_give()
    {
        var (server, agent, client) = await WithImageAsync(s_small, s_fit);
        await using var _ = server;
        Assert.Equal("diskAmbiguous", await RefusalAsync(null));
        Assert.Equal("noDisk", await RefusalAsync(new { rules = new[] { new { bus = "usb" } } }));
        Assert.Equal("diskTooSmall", await RefusalAsync(new { rules = new[] { new { bus = "nvme" } } }));
        Assert.Equal("volumeNotInImage", await RefusalAsync(new { rules = new[] { new { bus = "sata" } }, volumes = new[] { 7 } }));

        async Task<string> RefusalAsync(object? deploy)
        {
            var forecast = await PlanAsync(client, agent, deploy);
            Assert.False(forecast.GetProperty("canRun").GetBoolean());
            return forecast.GetProperty("hosts")[0].GetProperty("refusal").Text("code");
        }
    }

    [Fact]
    public async Task A_machine_that_was_never_seen_needs_an_inventory_first()
    {
        var (server, agent, client) = await WithImageAsync();
        await using var _ = server;
        var forecast = await PlanAsync(client, agent);
        Assert.Equal("noInventory", forecast.GetProperty("hosts")[0].GetProperty("refusal").Text("code"));
    }

    [Fact]
    public async Task Who_may_only_read_plans_nothing()
    {
        await using var server = await TestServer.StartAsync();
        var client = await server.WithScopeAsync("read");
        var response = await client.PostAsync("api/v1/jobs/plan", new StringContent("{}", System.Text.Encoding.UTF8, "application/json"));
        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
    }
}
