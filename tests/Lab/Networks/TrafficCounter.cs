using System.Globalization;
using System.Text.RegularExpressions;

namespace ImageForge.Lab.Networks;

/// <summary>
/// Counts in the kernel what goes in and out of the server's HTTPS port: what was really sent again after a fault,
/// whatever our own counters say.
/// </summary>
public sealed class TrafficCounter
{
    private readonly string _ns;

    private TrafficCounter(string ns) => _ns = ns;

    public static async Task<TrafficCounter> StartAsync(LabNetwork network, int port = 8443)
    {
        var text = port.ToString(CultureInfo.InvariantCulture);
        await Nft(network.Server, "add", "table", "inet", "lab");
        foreach (var (counter, hook, match) in new[] { ("received", "input", "dport"), ("sent", "output", "sport") })
        {
            await Nft(network.Server, "add", "counter", "inet", "lab", counter);
            await Nft(network.Server, "add", "chain", "inet", "lab", hook, $"{{ type filter hook {hook} priority 0; }}");
            await Nft(network.Server, "add", "rule", "inet", "lab", hook, "tcp", match, text, "counter", "name", counter);
        }
        return new TrafficCounter(network.Server);
    }

    /// <summary>Bytes that reached the port, with TCP and IP headers.</summary>
    public Task<long> ReceivedAsync() => ReadAsync("received");

    /// <summary>Bytes that left the port, with TCP and IP headers.</summary>
    public Task<long> SentAsync() => ReadAsync("sent");

    private async Task<long> ReadAsync(string counter)
    {
        var text = await Nft(_ns, "list", "counter", "inet", "lab", counter);
        return long.Parse(Regex.Match(text, @"bytes (\d+)").Groups[1].Value, CultureInfo.InvariantCulture);
    }

    private static async Task<string> Nft(string ns, params string[] arguments)
    {
        var result = await LabNetwork.TryInAsync(ns, "nft", arguments);
        return result.ExitCode == 0 ? result.Output : throw new LabException($"nft {string.Join(' ', arguments)}: {result.All}");
    }
}
