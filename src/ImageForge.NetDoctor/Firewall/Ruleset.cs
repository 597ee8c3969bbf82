using System.Text.Json;

namespace ImageForge.NetDoctor.Firewall;

/// <param name="Dropped">By this machine's rules.</param>
/// <param name="Rule">Which one; null when nothing drops it.</param>
internal sealed record Verdict(Truth Dropped, string? Rule);

/// <summary>The rules of the kernel as <c>nft -j list ruleset</c> prints them; also those that iptables made through nf_tables.</summary>
internal sealed class Ruleset
{
    private const int DeepestJump = 16;
    private static readonly string[] s_in = ["ingress", "prerouting", "input"], s_out = ["output", "postrouting", "egress"];

    private sealed record Chain(string Family, string Table, string Name, string? Hook, string? Device, bool DropsAtEnd, List<JsonElement> Rules);

    private readonly Dictionary<(string Family, string Table, string Name), Chain> _chains = [];
    private readonly Dictionary<(string Family, string Table), Dictionary<string, JsonElement>> _sets = [];

    /// <exception cref="JsonException">It is no JSON.</exception>
    public static Ruleset Parse(string json)
    {
        var ruleset = new Ruleset();
        using var document = JsonDocument.Parse(json);
        if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("nftables", out var all) || all.ValueKind != JsonValueKind.Array)
            throw new JsonException("no list of nftables");
        // Rules stand behind their chains, but nobody promises it.
        foreach (var item in all.EnumerateArray())
            ruleset.AddChainOrSet(item);
        foreach (var item in all.EnumerateArray())
        {
            if (Inner(item, "rule") is { } rule && rule.TryGetProperty("expr", out var expr) && expr.ValueKind == JsonValueKind.Array
                && ruleset._chains.TryGetValue((Text(rule, "family"), Text(rule, "table"), Text(rule, "chain")), out var chain))
                chain.Rules.Add(rule.Clone());
        }
        return ruleset;
    }

    /// <summary>No rule and no policy anywhere.</summary>
    public bool IsEmpty => _chains.Values.All(static c => c.Rules.Count == 0 && !c.DropsAtEnd);

    public int Rules => _chains.Values.Sum(static c => c.Rules.Count);

    /// <summary>Would the packet be dropped? A certain drop before a possible one.</summary>
    public Verdict Judge(TestPacket packet)
    {
        var verdicts = _chains.Values.Where(c => Concerns(c, packet)).Select(c => Walk(c, packet)).ToList();
        return verdicts.Find(static v => v.Dropped == Truth.Yes) ?? verdicts.Find(static v => v.Dropped == Truth.Maybe) ?? new Verdict(Truth.No, null);
    }

    private void AddChainOrSet(JsonElement item)
    {
        if (Inner(item, "chain") is { } chain)
        {
            // Address translation decides nothing about dropping.
            var hook = Text(chain, "type") == "nat" ? "" : Text(chain, "hook");
            _chains[(Text(chain, "family"), Text(chain, "table"), Text(chain, "name"))] = new Chain(
                Text(chain, "family"), Text(chain, "table"), Text(chain, "name"), hook.Length == 0 ? null : hook, Text(chain, "dev") is { Length: > 0 } device ? device : null, Text(chain, "policy") == "drop" && hook.Length > 0, []);
        }
        else if ((Inner(item, "set") ?? Inner(item, "map")) is { } set)
        {
            var key = (Text(set, "family"), Text(set, "table"));
            if (!_sets.TryGetValue(key, out var sets))
                _sets[key] = sets = [];
            // A set that was never filled prints no elements.
            sets[Text(set, "name")] = set.TryGetProperty("elem", out var elements) ? elements.Clone() : s_nothing;
        }
    }

    private static readonly JsonElement s_nothing = JsonDocument.Parse("[]").RootElement;

    private static bool Concerns(Chain chain, TestPacket packet) =>
        chain.Hook is { } hook && (packet.Way == PacketWay.Arriving ? s_in : s_out).Contains(hook)
        && chain.Family switch
        {
            "inet" => true,
            "ip" => !packet.IsV6,
            "ip6" => packet.IsV6,
            "netdev" => chain.Device is null || chain.Device == packet.Interface,
            _ => false,
        };

    private Verdict Walk(Chain chain, TestPacket packet)
    {
        var walk = new RuleWalk(packet, new RuleMatch(_sets.GetValueOrDefault((chain.Family, chain.Table)) ?? []), Find);
        var end = walk.Through(chain.Name, chain.Rules, 0, certain: true);
        var place = $"{chain.Family} {chain.Table}";
        // Which device an ingress chain is for, older nft does not print.
        var unsure = chain is { Family: "netdev", Device: null } || walk.MayBeAccepted;
        if (end == RuleEnd.Dropped)
            return new Verdict(unsure ? Truth.Maybe : Truth.Yes, $"{place}, {walk.DroppedBy}");
        if (end == RuleEnd.FellThrough && chain.DropsAtEnd)
            return new Verdict(unsure ? Truth.Maybe : Truth.Yes, $"{place}, chain {chain.Name}: policy drop");
        return walk.MayBeDroppedBy is { } rule ? new Verdict(Truth.Maybe, $"{place}, {rule}") : new Verdict(Truth.No, null);

        List<JsonElement>? Find(string name, int depth) => depth > DeepestJump ? null : _chains.GetValueOrDefault((chain.Family, chain.Table, name))?.Rules;
    }

    private static JsonElement? Inner(JsonElement item, string name) =>
        item.ValueKind == JsonValueKind.Object && item.TryGetProperty(name, out var inner) && inner.ValueKind == JsonValueKind.Object ? inner : null;

    private static string Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
}
