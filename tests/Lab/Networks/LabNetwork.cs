using System.Diagnostics;
using System.Globalization;

namespace ImageForge.Lab.Networks;

/// <summary>
/// One isolated lab: a bridge with taps for machines in its own network namespace, a namespace for the ImageForge
/// server (10.77.0.1) and one for the site's DHCP server (10.77.0.2). Nothing touches the host's own interfaces.
/// Namespaces are named if-PID-N-…, so that leftovers of a killed run are recognised and removed by the next.
/// </summary>
public sealed class LabNetwork : IAsyncDisposable
{
    public const string ServerAddress = "10.77.0.1";
    public const string SiteDhcpAddress = "10.77.0.2";
    public const string HarnessAddress = "10.77.0.254";

    private static readonly Lock OpenLock = new();
    private static readonly List<LabNetwork> Open = [];
    private static int _count;
    private int _taps;

    private LabNetwork(string prefix)
    {
        Prefix = prefix;
        Machines = $"{prefix}-lab";
        Server = $"{prefix}-srv";
        SiteDhcp = $"{prefix}-dhcp";
        Folder = Directory.CreateDirectory(Path.Combine(Path.GetTempPath(), prefix)).FullName;
    }

    static LabNetwork() => AppDomain.CurrentDomain.ProcessExit += (_, _) =>
    {
        LabNetwork[] left;
        lock (OpenLock)
            left = [.. Open];
        foreach (var network in left)
            network.DisposeAsync().AsTask().Wait(TimeSpan.FromSeconds(5));
    };

    public string Prefix { get; }

    /// <summary>Namespace of the bridge and the machines' taps.</summary>
    public string Machines { get; }

    public string Server { get; }

    public string SiteDhcp { get; }

    /// <summary>Scratch folder of this lab, removed with it.</summary>
    public string Folder { get; }

    public static async Task<LabNetwork> CreateAsync()
    {
        await RemoveLeftoversAsync();
        var prefix = string.Create(CultureInfo.InvariantCulture, $"if-{Environment.ProcessId}-{Interlocked.Increment(ref _count)}");
        var network = new LabNetwork(prefix);
        lock (OpenLock)
            Open.Add(network);
        try
        {
            foreach (var name in new[] { network.Machines, network.Server, network.SiteDhcp })
            {
                await Ip("netns", "add", name);
                await Ip("-n", name, "link", "set", "lo", "up");
            }
            await Ip("-n", network.Machines, "link", "add", "br0", "type", "bridge", "stp_state", "0", "forward_delay", "0");
            await Ip("-n", network.Machines, "link", "set", "br0", "up");
            await Ip("-n", network.Machines, "addr", "add", $"{HarnessAddress}/24", "dev", "br0");
            await network.PlugAsync(network.Server, ServerAddress);
            await network.PlugAsync(network.SiteDhcp, SiteDhcpAddress);
            return network;
        }
        catch
        {
            await network.DisposeAsync();
            throw;
        }
    }

    /// <summary>Adds a namespace on the bridge, for a client program or another server. It is removed with the lab.</summary>
    public async Task<string> AddClientAsync(string name, string? address)
    {
        var full = $"{Prefix}-{name}";
        await Ip("netns", "add", full);
        await Ip("-n", full, "link", "set", "lo", "up");
        await PlugAsync(full, address);
        return full;
    }

    public async Task<string> AddTapAsync()
    {
        var tap = string.Create(CultureInfo.InvariantCulture, $"t{Interlocked.Increment(ref _taps)}");
        await Ip("-n", Machines, "tuntap", "add", tap, "mode", "tap");
        await Ip("-n", Machines, "link", "set", tap, "master", "br0", "up");
        return tap;
    }

    public Task RemoveTapAsync(string tap) => Command.TryAsync("ip", "-n", Machines, "link", "del", tap);

    /// <summary>Starts a program inside one of the lab's namespaces; `ip netns exec` becomes the program, so the process id is the program's.</summary>
    public static Process StartIn(string ns, string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null) =>
        Command.Start("ip", ["netns", "exec", ns, program, .. arguments], environment);

    public static Task<Command.Result> TryInAsync(string ns, string program, params string[] arguments) =>
        Command.TryAsync("ip", ["netns", "exec", ns, program, .. arguments]);

    public async ValueTask DisposeAsync()
    {
        lock (OpenLock)
            Open.Remove(this);
        await RemoveAsync(Prefix);
    }

    /// <summary>The namespace's veth end is eth0, the bridge's end is named after the namespace's last part.</summary>
    private async Task PlugAsync(string ns, string? address)
    {
        var port = $"v-{ns[(Prefix.Length + 1)..]}";
        await Ip("-n", Machines, "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", ns);
        await Ip("-n", Machines, "link", "set", port, "master", "br0", "up");
        if (address is not null)
            await Ip("-n", ns, "addr", "add", $"{address}/24", "broadcast", "+", "dev", "eth0");
        await Ip("-n", ns, "link", "set", "eth0", "up");
    }

    private static Task<string> Ip(params string[] arguments) => Command.RunAsync("ip", arguments);

    private static async Task RemoveLeftoversAsync()
    {
        var owners = (await Command.RunAsync("ip", "netns", "list"))
            .Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split(' ')[0].Split('-'))
            .Where(parts => parts is ["if", _, _, ..] && int.TryParse(parts[1], out var pid) && !Directory.Exists($"/proc/{pid}"))
            .Select(parts => string.Join('-', parts.Take(3)))
            .Distinct();
        foreach (var prefix in owners)
            await RemoveAsync(prefix);
    }

    /// <summary>Ends what still runs in the lab's own namespaces, then removes them and the scratch folder.</summary>
    private static async Task RemoveAsync(string prefix)
    {
        var names = (await Command.TryAsync("ip", "netns", "list")).Output
            .Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split(' ')[0])
            .Where(name => name.StartsWith($"{prefix}-", StringComparison.Ordinal))
            .ToList();
        foreach (var name in names)
        {
            var pids = (await Command.TryAsync("ip", "netns", "pids", name)).Output;
            foreach (var pid in pids.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
                await Command.TryAsync("kill", "-9", pid);
        }
        foreach (var name in names)
            await Command.TryAsync("ip", "netns", "del", name);
        var folder = Path.Combine(Path.GetTempPath(), prefix);
        await Command.TryAsync("umount", "-q", "-R", Path.Combine(folder, "small"));
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
    }
}
