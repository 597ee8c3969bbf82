using System.Net;
using System.Text;
using ImageForge.Contracts;
using ImageForge.Server.Boot;

namespace ImageForge.Server.Tests.Agents;

public sealed class CheckInRaceTests
{
    [Fact]
    public async Task Of_hundreds_of_agents_with_a_copied_token_exactly_one_is_let_in()
    {
        await using var server = await TestServer.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var task = await agent.OrderCaptureAsync("lab");
        var boot = await agent.BootAsync(task);
        using var client = server.Anonymous();
        var answers = await Task.WhenAll(Enumerable.Range(0, 300).Select(async _ =>
        {
            using var response = await agent.SendCheckInAsync(agent.Request(boot));
            return (response.StatusCode, Text: await response.Content.ReadAsStringAsync());
        }));
        Assert.Single(answers, a => a.StatusCode == HttpStatusCode.OK);
        Assert.Equal(299, answers.Count(a => a.StatusCode == HttpStatusCode.Forbidden && a.Text.Contains("bootTokenCopied", StringComparison.Ordinal)));
        Assert.Single(await CheckInTests.EventsAsync(server, "checkInRefused"));
    }

    [Fact]
    public async Task Hundreds_of_repetitions_of_one_check_in_all_get_the_same_bytes()
    {
        await using var server = await TestServer.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var request = agent.Request(await agent.BootAsync(await agent.OrderCaptureAsync("lab")));
        var answers = await Task.WhenAll(Enumerable.Range(0, 300).Select(async _ =>
        {
            using var response = await agent.SendCheckInAsync(request);
            return $"{response.StatusCode} {await response.Content.ReadAsStringAsync()}";
        }));
        Assert.StartsWith("OK", Assert.Single(answers.Distinct()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_several_boots_at_once_one_holds_the_task_in_the_end()
    {
        await using var server = await TestServer.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var task = await agent.OrderCaptureAsync("lab");
        var boots = await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => agent.BootAsync(task)));
        var answers = await Task.WhenAll(boots.Select(async boot =>
        {
            using var response = await agent.SendCheckInAsync(agent.Request(boot));
            return response.IsSuccessStatusCode
                ? System.Text.Json.JsonSerializer.Deserialize(await response.Content.ReadAsStringAsync(), AgentJson.Default.CheckInResponse)!.TaskToken
                : null;
        }));
        // The first check-in ends the other boot tokens, so a later boot needs a new script.
        var token = Assert.Single(answers, a => a is not null)!;
        (await server.WithToken(token).ReportAsync(HostTaskState.Preparing)).EnsureSuccessStatusCode();
    }

    [Fact]
    public async Task Garbage_as_a_check_in_is_a_bad_request_and_never_a_server_error()
    {
        await using var server = await TestServer.StartAsync();
        var agent = await ScriptedAgent.WithHostAsync(server, "pc-1");
        var good = System.Text.Json.JsonSerializer.Serialize(agent.Request(ScriptedAgent.Nonce()), AgentJson.Default.CheckInRequest);
        const int seed = 20260101;
        var random = new Random(seed);
        using var client = server.Anonymous();
        for (var i = 0; i < 3000; i++)
        {
            var bytes = Encoding.UTF8.GetBytes(good);
            switch (random.Next(4))
            {
                case 0:
                    bytes = bytes[..random.Next(bytes.Length)];
                    break;
                case 1:
                    bytes = new byte[random.Next(300)];
                    random.NextBytes(bytes);
                    break;
                case 2:
                    for (var n = random.Next(1, 6); n > 0; n--)
                        bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
                    break;
                default:
                    // A member that must not be null, null.
                    string[] members = ["\"disks\":", "\"nics\":", "\"cpu\":", "\"inventory\":", "\"nonce\":", "\"mac\":", "\"architecture\":", "\"model\":"];
                    var member = members[random.Next(members.Length)];
                    bytes = Encoding.UTF8.GetBytes(good.Replace(member, $"{member}null,\"x{i}\":", StringComparison.Ordinal));
                    break;
            }
            using var response = await client.PostAsync("agent/v1/check-in", new ByteArrayContent(bytes));
            Assert.True((int)response.StatusCode is 400 or 401, $"seed {seed}, case {i}: {(int)response.StatusCode} for {Encoding.UTF8.GetString(bytes)}");
        }
        using var large = await client.PostAsync("agent/v1/check-in", new ByteArrayContent(new byte[1 << 20]));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, large.StatusCode);
    }
}
