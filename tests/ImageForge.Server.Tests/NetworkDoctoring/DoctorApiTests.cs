using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using ImageForge.NetDoctor;
using ImageForge.NetDoctor.Findings;
using ImageForge.Server.NetworkDoctoring;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace ImageForge.Server.Tests.NetworkDoctoring;

/// <summary>The address of the doctor; what it finds on real networks is judged in its own tests.</summary>
public sealed class DoctorApiTests
{
    private const string Address = "api/v1/network/doctor";

    private static readonly Finding s_problem = Finding.Problem("noCarrier", "eth9", "no carrier", "No signal on eth9.", "Plug it in.");

    [Fact]
    public async Task A_run_answers_with_its_findings_and_stays_the_last_one()
    {
        var gate = new TaskCompletionSource();
        var orders = new ConcurrentQueue<DoctorOrder>();
        await using var server = await StartAsync(async order =>
        {
            orders.Enqueue(order);
            await gate.Task;
            return new DoctorReport(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch, 7, order.Interfaces, [s_problem], []);
        });
        var client = await server.WithScopeAsync("operate");
        Assert.Equal("noDoctorRun", (await client.GetAsync(Address, HttpStatusCode.NotFound)).Text("code"));
        await (await server.WithScopeAsync("read")).PostAsync(Address, new { interfaces = new[] { "eth9" } }, HttpStatusCode.Forbidden);

        var run = client.PostAsync(Address, new { interfaces = new[] { "eth9" }, seconds = 7, target = "10.0.0.9" }, HttpStatusCode.OK);
        while (orders.IsEmpty)
            await Task.Delay(20);
        Assert.Equal("doctorRuns", (await client.PostAsync(Address, new { interfaces = new[] { "eth9" } }, HttpStatusCode.Conflict)).Text("code"));
        gate.SetResult();

        var answer = await run;
        Assert.Equal("token:test-operate", answer.Text("startedBy"));
        var finding = answer.GetProperty("report").GetProperty("findings")[0];
        Assert.Equal(("noCarrier", "problem", "eth9", "Plug it in."), (finding.Text("code"), finding.Text("severity"), finding.Text("interface"), finding.Text("cure")));
        Assert.Equal(answer.GetRawText(), (await client.GetAsync(Address, HttpStatusCode.OK)).GetRawText());
        Assert.True(orders.TryPeek(out var order) && order is { Listen.TotalSeconds: 7 } && order.PathTarget!.ToString() == "10.0.0.9" && order.ServerProcess == Environment.ProcessId);
        // Where the sessions of this server send.
        Assert.Equal(new MulticastPlan(30100, 30199, Ttl: 1), order.Multicast);
        Assert.Contains("1 problems", (await client.GetAsync("api/v1/events", HttpStatusCode.OK)).GetRawText(), StringComparison.Ordinal);
        // The next one may begin.
        await client.PostAsync(Address, new { interfaces = new[] { "eth9" } }, HttpStatusCode.OK);
        Assert.Equal(2, orders.Count);
    }

    [Fact]
    public async Task Without_a_name_the_interface_is_that_of_the_boot_services()
    {
        await using var server = await StartAsync(order => Task.FromResult(new DoctorReport(default, default, 0, order.Interfaces, [], [])), "BootServices:Dhcp=off", "BootServices:Tftp=false");
        var client = await server.AdminAsync();
        Assert.Equal("noInterface", (await client.PostAsync(Address, null, HttpStatusCode.BadRequest)).Text("code"));
        await (await client.PutAsync("api/v1/boot-services/settings", System.Net.Http.Json.JsonContent.Create(new { @interface = "lo", dhcp = "off", tftp = false }))).JsonAsync(HttpStatusCode.OK);
        Assert.Equal("lo", (await client.PostAsync(Address, null, HttpStatusCode.OK)).GetProperty("report").GetProperty("interfaces")[0].GetString());
    }

    [Theory]
    [InlineData("""{"interfaces":["eth0"],"seconds":1}""", "badSeconds")]
    [InlineData("""{"interfaces":["eth0"],"seconds":1e300}""", "badSeconds")]
    [InlineData("""{"interfaces":["eth0"],"target":"fe80::1"}""", "badTarget")]
    [InlineData("""{"interfaces":[""]}""", "badInterface")]
    [InlineData("""{"interfaces":[null]}""", "badInterface")]
    [InlineData("""{"interfaces":["an-interface-with-a-long-name"]}""", "badInterface")]
    public async Task What_is_no_order_is_refused_with_a_cure(string body, string code)
    {
        await using var server = await StartAsync(_ => throw new InvalidOperationException("must not run"));
        var client = await server.AdminAsync();
        var answer = await (await client.PostAsync(Address, new StringContent(body, System.Text.Encoding.UTF8, "application/json"))).JsonAsync(HttpStatusCode.BadRequest);
        Assert.Equal(code, answer.Text("code"));
        Assert.NotEmpty(answer.Text("hint"));
    }

    [Fact]
    public async Task The_real_doctor_knows_the_servers_own_ports()
    {
        await using var server = await TestServer.StartAsync([.. ((string[])["DhcpPort", "ProxyPort", "TftpPort"]).Select(name => $"BootServices:{name}={FreePort()}")]);
        var client = await server.AdminAsync();
        // The loopback interface: nothing is sent there, and the machine's own checks are made.
        var report = (await client.PostAsync(Address, new { interfaces = new[] { "lo" }, seconds = 4 }, HttpStatusCode.OK)).GetProperty("report");
        var ports = report.GetProperty("findings").EnumerateArray().Where(f => f.Text("code") == "port").Select(f => f.Text("sentence")).ToList();
        Assert.Contains($"ImageForge holds TCP {server.HttpsBase.Port} (HTTPS) and answers.", ports);
        Assert.Contains($"ImageForge holds TCP {server.HttpBase.Port} (HTTP) and answers.", ports);
        Assert.Equal(3, ports.Count(s => s.EndsWith("is not used, as set.", StringComparison.Ordinal)));
        Assert.Empty(report.GetProperty("dhcpServers").EnumerateArray());
    }

    private static Task<TestServer> StartAsync(Func<DoctorOrder, Task<DoctorReport>> run, params string[] settings) =>
        TestServer.StartAsync(builder => builder.Services.Replace(ServiceDescriptor.Singleton<DoctorRun>((order, _) => run(order))), settings);

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Any, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
