using System.Text.Json.Nodes;
using ImageForge.Contracts;
using ImageForge.Lab.Machines;
using ImageForge.Lab.Networks;

namespace ImageForge.Lab.Servers;

/// <summary>A site with everything: isolated network, its own DHCP server, our server with its API, and the machines that a test switches on.</summary>
public sealed class LabSite : IAsyncDisposable
{
    private readonly List<VirtualMachine> _machines = [];

    private LabSite(LabNetwork network, SiteDhcp? dhcp, ServerProcess server, ApiClient api, string name) =>
        (Network, Dhcp, Server, Api, Name) = (network, dhcp, server, api, name);

    public LabNetwork Network { get; }

    /// <summary>Null where our own server is the DHCP server.</summary>
    public SiteDhcp? Dhcp { get; }

    public ServerProcess Server { get; }

    public ApiClient Api { get; }

    /// <summary>Begins the names of machines and of their logs.</summary>
    public string Name { get; }

    /// <param name="name">Names the logs.</param>
    /// <param name="captured">A site whose store already holds an image: this one starts on a copy of its data folder.</param>
    /// <param name="siteDhcp">False: nobody else hands out addresses.</param>
    /// <param name="dataFolder">Makes the server's data folder; null: a new one in the lab's scratch folder.</param>
    /// <param name="settings">Further settings of the server, for example <c>Boot:TokenMinutes=1</c>.</param>
    public static async Task<LabSite> StartAsync(string name, CapturedData? captured = null, bool siteDhcp = true, Func<LabNetwork, Task<string>>? dataFolder = null, params string[] settings)
    {
        foreach (var old in Directory.GetFiles(Repository.LogFolder, $"{name}*"))
            File.Delete(old);
        var network = await LabNetwork.CreateAsync();
        SiteDhcp? dhcp = null;
        ServerProcess? server = null;
        try
        {
            if (siteDhcp)
                dhcp = await SiteDhcp.StartAsync(network);
            var data = dataFolder is null ? Path.Combine(network.Folder, "data") : await dataFolder(network);
            if (captured is not null)
                await Command.RunAsync("cp", "-a", captured.Folder, data);
            server = await ServerProcess.StartAsync(network, name, data, settings);
            var api = new ApiClient(network, captured?.Token);
            if (captured is null)
                await api.SetUpAsync(await server.SetUpCodeAsync());
            return new LabSite(network, dhcp, server, api, name);
        }
        catch
        {
            if (server is not null)
                await server.DisposeAsync();
            if (dhcp is not null)
                await dhcp.DisposeAsync();
            await network.DisposeAsync();
            throw;
        }
    }

    public async Task<VirtualMachine> PowerOnAsync(MachineOptions options)
    {
        var machine = await VirtualMachine.PowerOnAsync(Network, options with { Name = $"{Name}-{options.Name}" });
        _machines.Add(machine);
        return machine;
    }

    public Task AddHostAsync(string name, string mac) =>
        Api.PostAsync("api/v1/hosts", new JsonObject { ["name"] = name, ["macs"] = new JsonArray(mac) });

    /// <summary>Orders a job for one host and returns its host task.</summary>
    public async Task<HostTaskHandle> OrderAsync(JobKind kind, string mac, JsonObject? more = null) => (await OrderAsync(kind, [mac], more))[0];

    /// <summary>Orders a job for several hosts and returns their host tasks, in the same order.</summary>
    public async Task<IReadOnlyList<HostTaskHandle>> OrderAsync(JobKind kind, IReadOnlyList<string> macs, JsonObject? more = null)
    {
        var order = more ?? [];
        order["kind"] = Lower(kind.ToString());
        order["hosts"] = new JsonArray([.. macs.Select(mac => (JsonNode)mac)]);
        var job = (await Api.PostAsync("api/v1/jobs", order))!;
        return [.. job["tasks"]!.AsArray().Select(task => new HostTaskHandle(this, (long)job["job"]!["id"]!, (long)task!["id"]!))];
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var machine in _machines)
            await machine.DisposeAsync();
        Api.Dispose();
        await Server.DisposeAsync();
        if (Dhcp is not null)
            await Dhcp.DisposeAsync();
        await Network.DisposeAsync();
    }

    private static string Lower(string name) => char.ToLowerInvariant(name[0]) + name[1..];
}

/// <summary>A data folder with a captured image in it, and a token that its server knows.</summary>
public sealed record CapturedData(string Folder, string Token);
