using System.Text.Json;

namespace ImageForge.NetDoctor.Firewall;

/// <summary>A rule in about the words its author wrote, for the sentence that blames it.</summary>
internal static class RuleText
{
    private const int Longest = 120;

    public static string Of(JsonElement rule)
    {
        var words = rule.GetProperty("expr").EnumerateArray().Select(Statement).Where(static w => w.Length > 0);
        var text = string.Join(' ', words);
        return text.Length > Longest ? $"{text[..Longest]}…" : text;
    }

    /// <summary>nft writes "kind": value; an empty name stands for what is no such thing.</summary>
    internal static (string Name, JsonElement Value) First(JsonElement element)
    {
        if (element.ValueKind == JsonValueKind.Object)
        {
            foreach (var property in element.EnumerateObject())
                return (property.Name, property.Value);
        }
        return ("", element);
    }

    private static string Statement(JsonElement statement)
    {
        var part = First(statement);
        return part.Name switch
        {
            "" or "counter" or "log" or "comment" => "",
            "match" => Match(part.Value),
            "jump" or "goto" => $"{part.Name} {(part.Value.ValueKind == JsonValueKind.Object && part.Value.TryGetProperty("target", out var target) ? target.ToString() : "")}",
            "vmap" => part.Value.ValueKind == JsonValueKind.Object && part.Value.TryGetProperty("key", out var key) ? $"{Side(key)} vmap …" : "vmap …",
            _ => part.Name,
        };
    }

    private static string Match(JsonElement match)
    {
        if (match.ValueKind != JsonValueKind.Object)
            return "…";
        var op = match.TryGetProperty("op", out var o) && o.ToString() == "!=" ? "!= " : "";
        return match.TryGetProperty("left", out var left) && match.TryGetProperty("right", out var right) ? $"{Side(left)} {op}{Side(right)}" : "…";
    }

    private static string Side(JsonElement side)
    {
        if (side.ValueKind == JsonValueKind.Array)
            return string.Join(',', side.EnumerateArray().Select(Side));
        if (side.ValueKind != JsonValueKind.Object)
            return side.ToString();
        var part = First(side);
        string Inner(string name) => part.Value.ValueKind == JsonValueKind.Object && part.Value.TryGetProperty(name, out var value) ? value.ToString() : "…";
        return part.Name switch
        {
            "payload" => $"{Inner("protocol")} {Inner("field")}",
            "meta" => Inner("key"),
            "ct" => $"ct {Inner("key")}",
            "set" when part.Value.ValueKind == JsonValueKind.Array => $"{{ {string.Join(", ", part.Value.EnumerateArray().Select(Side))} }}",
            "range" when part.Value.ValueKind == JsonValueKind.Array => string.Join('-', part.Value.EnumerateArray().Select(Side)),
            "prefix" => $"{Inner("addr")}/{Inner("len")}",
            _ => "…",
        };
    }
}
