using System.Globalization;

namespace ImageForge.Lab.Networks;

/// <summary>
/// A sender and receivers on one bridge, a namespace each: 10.77.0.1 and fd77::1 send, 10.77.0.11 and fd77::11 upwards receive. Super-packets
/// are cut up before they leave the sender's namespace, as they are on a real wire; without that a whole batch would cross the bridge as one.
/// </summary>
public sealed class MulticastRoom : IAsyncDisposable
{
    private readonly List<string> _receivers = [];

    private MulticastRoom(LabNetwork network) => Network = network;

    public LabNetwork Network { get; }

    /// <summary>The sender's namespace.</summary>
    public string Sender => Network.Server;

    /// <summary>The receivers' namespaces. Each has eth0.</summary>
    public IReadOnlyList<string> Receivers => _receivers;

    public static async Task<MulticastRoom> CreateAsync(int receivers)
    {
        var room = new MulticastRoom(await LabNetwork.CreateAsync());
        try
        {
            await Command.RunAsync("ip", "netns", "exec", room.Sender, "ethtool", "-K", "eth0", "tx-udp-segmentation", "off");
            await AddressAsync(room.Sender, "1");
            for (var i = 0; i < receivers; i++)
                await room.AddReceiverAsync();
            return room;
        }
        catch
        {
            await room.DisposeAsync();
            throw;
        }
    }

    public async Task<string> AddReceiverAsync()
    {
        var host = (11 + _receivers.Count).ToString(CultureInfo.InvariantCulture);
        var name = await Network.AddClientAsync($"r{_receivers.Count}", $"10.77.0.{host}");
        await AddressAsync(name, host);
        _receivers.Add(name);
        return name;
    }

    /// <summary>Drops UDP packets that arrive in a namespace, at random; 0 ends it. The build machine's kernel has no netem.</summary>
    public static async Task LoseAsync(string ns, int perMille)
    {
        await LabNetwork.TryInAsync(ns, "nft", "delete", "table", "netdev", "loss");
        // The kernel's generator ends below its bound.
        var which = perMille >= 1000 ? "" : $"numgen random mod 1000 < {perMille} ";
        if (perMille > 0)
            await Command.RunAsync("ip", "netns", "exec", ns, "nft",
                $"table netdev loss {{ chain arriving {{ type filter hook ingress device eth0 priority 0; meta l4proto udp {which}counter drop; }}; }}");
    }

    /// <summary>UDP packets that <see cref="LoseAsync"/> dropped.</summary>
    public static async Task<long> LostAsync(string ns)
    {
        var rules = (await LabNetwork.TryInAsync(ns, "nft", "list", "table", "netdev", "loss")).Output;
        var at = rules.IndexOf("counter packets ", StringComparison.Ordinal);
        return at < 0 ? 0 : long.Parse(rules[(at + 16)..].Split(' ')[0], CultureInfo.InvariantCulture);
    }

    public ValueTask DisposeAsync() => Network.DisposeAsync();

    /// <summary>An IPv6 address that is usable at once: nobody else is there to have it already. The programs here know the group's way without a router.</summary>
    private static async Task AddressAsync(string ns, string host)
    {
        await Command.RunAsync("ip", "-n", ns, "addr", "add", $"fd77::{host}/64", "dev", "eth0", "nodad");
        await Command.RunAsync("ip", "-n", ns, "route", "add", "224.0.0.0/4", "dev", "eth0");
    }
}
