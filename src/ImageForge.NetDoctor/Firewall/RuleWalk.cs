using System.Text.Json;

namespace ImageForge.NetDoctor.Firewall;

internal enum RuleEnd { FellThrough, Accepted, Dropped }

/// <summary>One packet's way through a chain and those it jumps to.</summary>
/// <param name="find">The rules of a chain by name and depth; null: unknown, or jumped too deep.</param>
internal sealed class RuleWalk(TestPacket packet, RuleMatch match, Func<string, int, IReadOnlyList<JsonElement>?> find)
{
    /// <summary>nft refuses chains that jump in circles; a text that has them must not keep us for ever.</summary>
    private const int MostSteps = 200_000;

    private int _steps;

    /// <summary>A rule accepts it under conditions that are not known.</summary>
    public bool MayBeAccepted { get; private set; }

    public string? MayBeDroppedBy { get; private set; }

    public string? DroppedBy { get; private set; }

    /// <param name="certain">It is certain that the packet comes here.</param>
    public RuleEnd Through(string chain, IReadOnlyList<JsonElement> rules, int depth, bool certain)
    {
        foreach (var rule in rules)
        {
            if (++_steps > MostSteps)
            {
                (MayBeAccepted, MayBeDroppedBy) = (true, MayBeDroppedBy ?? $"chain {chain}: too many rules to follow");
                return RuleEnd.FellThrough;
            }
            var holds = certain ? Truth.Yes : Truth.Maybe;
            foreach (var statement in rule.GetProperty("expr").EnumerateArray())
            {
                var part = RuleText.First(statement);
                if (part.Name == "match")
                    holds = And(holds, match.Of(part.Value, packet));
                else if (part.Name is "vmap")
                {
                    if (Map(part.Value, rule, chain, depth, holds) is { } mapped)
                        return mapped;
                    break;
                }
                else if (Verdict(part.Name, part.Value, rule, chain, depth, holds) is { } end)
                {
                    if (end.Ends)
                        return end.With;
                    break;
                }
                if (holds == Truth.No)
                    break;
                // limit, quota, extensions of iptables: how they decide is not known here.
                if (part.Name is "limit" or "quota" or "xt" or "meter" or "connlimit" or "ct count" or "queue")
                    holds = Truth.Maybe;
            }
        }
        return RuleEnd.FellThrough;
    }

    /// <summary>Null: no verdict. Otherwise whether the walk ends here.</summary>
    private (bool Ends, RuleEnd With)? Verdict(string name, JsonElement value, JsonElement rule, string chain, int depth, Truth holds)
    {
        switch (name)
        {
            case "accept" when holds == Truth.Yes:
                return (true, RuleEnd.Accepted);
            case "accept":
                MayBeAccepted = true;
                return (false, default);
            case "drop" or "reject":
                var text = $"chain {chain}: {RuleText.Of(rule)}";
                if (holds == Truth.Yes)
                {
                    DroppedBy = text;
                    return (true, RuleEnd.Dropped);
                }
                MayBeDroppedBy ??= text;
                return (false, default);
            case "return":
                return (holds == Truth.Yes, RuleEnd.FellThrough);
            case "jump" or "goto":
                var target = value.ValueKind == JsonValueKind.Object && value.TryGetProperty("target", out var t) && t.ValueKind == JsonValueKind.String ? t.GetString()! : "";
                if (find(target, depth + 1) is not { } rules)
                {
                    (MayBeAccepted, MayBeDroppedBy) = (true, MayBeDroppedBy ?? $"chain {chain}: {RuleText.Of(rule)}");
                    return (false, default);
                }
                var end = Through(target, rules, depth + 1, holds == Truth.Yes);
                return (holds == Truth.Yes && (end != RuleEnd.FellThrough || name == "goto"), end);
            default:
                return null;
        }
    }

    /// <summary>A verdict map: the first entry that fits decides. Null: the walk goes on with the next rule.</summary>
    private RuleEnd? Map(JsonElement vmap, JsonElement rule, string chain, int depth, Truth holds)
    {
        if (vmap.ValueKind != JsonValueKind.Object || !vmap.TryGetProperty("key", out var key) || !vmap.TryGetProperty("data", out var data)
            || data.ValueKind != JsonValueKind.Object || !data.TryGetProperty("set", out var entries) || entries.ValueKind != JsonValueKind.Array)
        {
            // A named map: what is in it decides, and we do not look.
            (MayBeAccepted, MayBeDroppedBy) = (true, MayBeDroppedBy ?? $"chain {chain}: {RuleText.Of(rule)}");
            return null;
        }
        foreach (var entry in entries.EnumerateArray())
        {
            if (entry.ValueKind != JsonValueKind.Array || entry.GetArrayLength() != 2 || entry[1].ValueKind != JsonValueKind.Object)
                continue;
            var fits = And(holds, match.Of(key, entry[0], packet));
            var verdict = RuleText.First(entry[1]);
            if (fits == Truth.No || Verdict(verdict.Name, verdict.Value, rule, chain, depth, fits) is not { } end)
                continue;
            if (end.Ends)
                return end.With;
            if (fits == Truth.Yes)
                return null;
        }
        return null;
    }

    private static Truth And(Truth a, Truth b) => a < b ? a : b;
}
