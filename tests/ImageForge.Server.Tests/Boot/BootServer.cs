using System.Net;
using ImageForge.Contracts;
using ImageForge.Server.Boot;
using ImageForge.Server.Hosts;
using ImageForge.Server.Jobs;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace ImageForge.Server.Tests.Boot;

/// <summary>The real server with a kernel table the test fills, and short ways to hosts and tasks.</summary>
internal sealed class BootServer : IAsyncDisposable
{
    private BootServer(TestServer server, FixedNeighbours neighbours) => (Server, Neighbours) = (server, neighbours);

    public TestServer Server { get; }
    public FixedNeighbours Neighbours { get; }

    public static async Task<BootServer> StartAsync(params string[] settings)
    {
        var neighbours = new FixedNeighbours();
        var server = await TestServer.StartAsync(b => b.Services.Replace(ServiceDescriptor.Singleton<INeighbourTable>(neighbours)), settings);
        return new BootServer(server, neighbours);
    }

    /// <summary>From here on the kernel says that this process is the machine.</summary>
    public void Tie(MacAddress mac) => Neighbours.Entries[IPAddress.Loopback] = mac;

    public async Task<Host> ApproveAsync(MacAddress mac)
    {
        var (_, host) = await Server.Get<HostStore>().CreateAsync($"pc-{mac}", [mac], null, CancellationToken.None);
        return host!;
    }

    /// <summary>An inventory task, waiting.</summary>
    public async Task<HostTask> OrderAsync(MacAddress mac)
    {
        var host = await ApproveAsync(mac);
        var outcome = await Server.Get<JobDesk>().OrderAsync(new CreateJobRequest(JobKind.Inventory, [mac.ToString()]), "test", null, CancellationToken.None);
        Assert.Null(outcome.Refusal);
        return (await Server.Get<HostTaskStore>().FindActiveForHostAsync(host.Id, CancellationToken.None))!;
    }

    public async Task<string> AskAsync(string macAndQuery)
    {
        using var response = await Server.Http().GetAsync(new Uri($"boot/{macAndQuery}", UriKind.Relative));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("text/plain", response.Content.Headers.ContentType?.MediaType);
        var script = await response.Content.ReadAsStringAsync();
        Assert.StartsWith("#!ipxe\n", script, StringComparison.Ordinal);
        Assert.Contains("\n:local\n", script, StringComparison.Ordinal);
        return script;
    }

    public Task<string> AskAsync(MacAddress mac) => AskAsync(mac.ToString().Replace(':', '-'));

    public static string Token(string script) =>
        System.Text.RegularExpressions.Regex.Match(script, @"^set token (\S+)$", System.Text.RegularExpressions.RegexOptions.Multiline).Groups[1].Value;

    /// <summary>Polls for what is written in the background.</summary>
    public static async Task<T> EventuallyAsync<T>(Func<Task<T>> read, Func<T, bool> good)
    {
        for (var i = 0; i < 200; i++)
        {
            if (await read() is var value && good(value))
                return value;
            await Task.Delay(50);
        }
        var last = await read();
        Assert.True(good(last), $"after 10 s still: {last}");
        return last;
    }

    public ValueTask DisposeAsync() => Server.DisposeAsync();
}
