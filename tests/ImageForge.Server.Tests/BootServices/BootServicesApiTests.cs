using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using ImageForge.Server.Tests.Boot;

namespace ImageForge.Server.Tests.BootServices;

/// <summary>The services on the loopback device with ports of their own; the real ports belong to the end-to-end tests.</summary>
public sealed class BootServicesApiTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Any, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    private sealed record Ports(int Dhcp, int Proxy, int Tftp)
    {
        public string[] Settings => [$"BootServices:DhcpPort={Dhcp}", $"BootServices:ProxyPort={Proxy}", $"BootServices:TftpPort={Tftp}", "BootServices:RetrySeconds=1"];
    }

    private static Ports Choose() => new(FreePort(), FreePort(), FreePort());

    private static async Task<JsonElement> StatusAsync(HttpClient client, string name)
    {
        var view = await client.GetFromJsonAsync<JsonElement>("api/v1/boot-services");
        return view.GetProperty("services").EnumerateArray().Single(s => s.GetProperty("name").GetString() == name);
    }

    private static Task<JsonElement> WaitAsync(HttpClient client, string name, string state) =>
        BootServer.EventuallyAsync(() => StatusAsync(client, name), s => s.GetProperty("state").GetString() == state);

    /// <summary>One TFTP read, block by block (RFC 1350, 2348).</summary>
    private static async Task<string> FetchAsync(int port, string name)
    {
        using var client = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        await client.SendAsync(Encoding.ASCII.GetBytes($"\0\u0001{name}\0octet\0blksize\01400\0"), new IPEndPoint(IPAddress.Loopback, port));
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        var text = new StringBuilder();
        while (true)
        {
            var packet = await client.ReceiveAsync(limit.Token);
            switch (packet.Buffer[1])
            {
                case 6:
                    await client.SendAsync(new byte[] { 0, 4, 0, 0 }, packet.RemoteEndPoint);
                    break;
                case 3:
                    await client.SendAsync(new byte[] { 0, 4, packet.Buffer[2], packet.Buffer[3] }, packet.RemoteEndPoint);
                    text.Append(Encoding.ASCII.GetString(packet.Buffer.AsSpan(4)));
                    if (packet.Buffer.Length < 1404)
                        return text.ToString();
                    break;
                default:
                    return $"error: {Encoding.ASCII.GetString(packet.Buffer.AsSpan(4))}";
            }
        }
    }

    [Fact]
    public async Task Everything_is_off_until_an_interface_is_chosen()
    {
        await using var server = await TestServer.StartAsync();
        var client = await server.WithScopeAsync("read");
        foreach (var name in new[] { "proxyDhcp", "dhcp", "tftp" })
            Assert.Equal("off", (await StatusAsync(client, name)).GetProperty("state").GetString());
        var interfaces = await client.GetFromJsonAsync<JsonElement>("api/v1/network-interfaces");
        var loopback = interfaces.EnumerateArray().Single(i => i.GetProperty("name").GetString() == "lo");
        Assert.Contains("127.0.0.1/8", loopback.GetProperty("addresses").EnumerateArray().Select(a => a.GetString()));
    }

    [Fact]
    public async Task An_interface_in_the_configuration_starts_proxy_dhcp_and_tftp()
    {
        var ports = Choose();
        await using var server = await TestServer.StartAsync([.. ports.Settings, "BootServices:Interface=lo"]);
        var client = await server.AdminAsync();
        var proxy = await WaitAsync(client, "proxyDhcp", "running");
        Assert.Equal([$"lo udp/{ports.Dhcp}", $"lo udp/{ports.Proxy}"], proxy.GetProperty("listens").EnumerateArray().Select(l => l.GetString()));
        await WaitAsync(client, "tftp", "running");
        Assert.Equal("off", (await StatusAsync(client, "dhcp")).GetProperty("state").GetString());
        // The first script comes over TFTP with our HTTP address in it.
        Assert.Contains($"set imageforge http://127.0.0.1:{server.HttpBase.Port}\n", await FetchAsync(ports.Tftp, "boot.ipxe"), StringComparison.Ordinal);
        Assert.StartsWith("error", await FetchAsync(ports.Tftp, "../imageforge.db"), StringComparison.Ordinal);
        var counters = (await BootServer.EventuallyAsync(() => StatusAsync(client, "tftp"), s => s.GetProperty("counters").GetProperty("transfers.completed").GetInt64() == 1)).GetProperty("counters");
        Assert.True(counters.GetProperty("bytes").GetInt64() > 500);
    }

    [Fact]
    public async Task Each_service_stops_and_starts_on_its_own()
    {
        var ports = Choose();
        await using var server = await TestServer.StartAsync([.. ports.Settings, "BootServices:Interface=lo"]);
        var client = await server.AdminAsync();
        await WaitAsync(client, "tftp", "running");
        await client.PostAsync(new Uri("api/v1/boot-services/tftp/stop", UriKind.Relative), null);
        Assert.Equal("off", (await StatusAsync(client, "tftp")).GetProperty("state").GetString());
        Assert.Equal("running", (await WaitAsync(client, "proxyDhcp", "running")).GetProperty("state").GetString());
        await Task.Delay(1500);
        Assert.Equal("off", (await StatusAsync(client, "tftp")).GetProperty("state").GetString());
        await client.PostAsync(new Uri("api/v1/boot-services/tftp/restart", UriKind.Relative), null);
        Assert.Contains("#!ipxe", await FetchAsync(ports.Tftp, "boot.ipxe"), StringComparison.Ordinal);
        using var both = await client.PostAsync(new Uri("api/v1/boot-services/dhcp/start", UriKind.Relative), null);
        Assert.Equal(HttpStatusCode.Conflict, both.StatusCode);
        using var unknown = await client.PostAsync(new Uri("api/v1/boot-services/nfs/start", UriKind.Relative), null);
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
        using var reader = await (await server.WithScopeAsync("operate")).PostAsync(new Uri("api/v1/boot-services/tftp/stop", UriKind.Relative), null);
        Assert.Equal(HttpStatusCode.Forbidden, reader.StatusCode);
    }

    [Fact]
    public async Task A_taken_port_leaves_the_others_running_and_heals_when_it_is_free()
    {
        var ports = Choose();
        using var squatter = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        squatter.Bind(new IPEndPoint(IPAddress.Any, ports.Proxy));
        await using var server = await TestServer.StartAsync([.. ports.Settings, "BootServices:Interface=lo"]);
        var client = await server.AdminAsync();
        var failed = await WaitAsync(client, "proxyDhcp", "failed");
        Assert.Contains($"UDP port {ports.Proxy} is in use", failed.GetProperty("sentence").GetString(), StringComparison.Ordinal);
        Assert.Contains("ss -lunp", failed.GetProperty("cure").GetString(), StringComparison.Ordinal);
        await WaitAsync(client, "tftp", "running");
        Assert.StartsWith("#!ipxe", await server.Http().GetStringAsync(new Uri("boot.ipxe", UriKind.Relative)), StringComparison.Ordinal);
        squatter.Dispose();
        await WaitAsync(client, "proxyDhcp", "running");
    }

    [Fact]
    public async Task Settings_are_checked_applied_at_once_and_kept_over_a_restart()
    {
        var ports = Choose();
        await using var server = await TestServer.StartAsync(ports.Settings);
        var client = await server.AdminAsync();
        using var bad = await client.PutAsJsonAsync("api/v1/boot-services/settings", new { @interface = "nope0" });
        Assert.Equal(HttpStatusCode.BadRequest, bad.StatusCode);
        Assert.Equal("interface", (await bad.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("code").GetString());

        using var full = await client.PutAsJsonAsync("api/v1/boot-services/settings", new { @interface = "lo", dhcp = "full", poolFirst = "127.0.1.10", poolLast = "127.0.1.20" });
        Assert.Equal(HttpStatusCode.OK, full.StatusCode);
        await WaitAsync(client, "dhcp", "running");
        Assert.Equal("off", (await StatusAsync(client, "proxyDhcp")).GetProperty("state").GetString());

        await server.RestartAsync();
        client = await server.AdminAsync();
        await WaitAsync(client, "dhcp", "running");

        using var off = await client.PutAsJsonAsync("api/v1/boot-services/settings", new { @interface = (string?)null });
        Assert.Equal("off", (await StatusAsync(client, "dhcp")).GetProperty("state").GetString());
        Assert.Equal("off", (await StatusAsync(client, "tftp")).GetProperty("state").GetString());
        using var start = await client.PostAsync(new Uri("api/v1/boot-services/tftp/start", UriKind.Relative), null);
        Assert.Equal("noInterface", (await start.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("code").GetString());
    }

    [Fact]
    public async Task Junk_on_the_dhcp_port_is_counted_and_the_service_goes_on()
    {
        var ports = Choose();
        await using var server = await TestServer.StartAsync([.. ports.Settings, "BootServices:Interface=lo"]);
        var client = await server.AdminAsync();
        await WaitAsync(client, "proxyDhcp", "running");
        using var sender = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        await sender.SendAsync(new byte[10], new IPEndPoint(IPAddress.Loopback, ports.Dhcp));
        var status = await BootServer.EventuallyAsync(() => StatusAsync(client, "proxyDhcp"), s => s.GetProperty("counters").GetProperty("received").GetInt64() == 1);
        Assert.Equal(1, status.GetProperty("counters").GetProperty("ignored.tooShort").GetInt64());
        Assert.Equal("running", status.GetProperty("state").GetString());
    }
}
