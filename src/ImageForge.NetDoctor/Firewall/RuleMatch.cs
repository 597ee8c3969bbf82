using System.Globalization;
using System.Net;
using System.Text.Json;

namespace ImageForge.NetDoctor.Firewall;

internal enum Truth { No, Maybe, Yes }

/// <summary>
/// One <c>match</c> of nft's JSON (libnftables-json(5)) against a packet. What is not known of the packet, or not understood of the rule, is
/// <see cref="Truth.Maybe"/>: nothing is called blocked or open by guessing.
/// </summary>
internal sealed class RuleMatch(IReadOnlyDictionary<string, JsonElement> sets)
{
    public Truth Of(JsonElement match, TestPacket packet)
    {
        if (match.ValueKind != JsonValueKind.Object || !match.TryGetProperty("left", out var left) || !match.TryGetProperty("right", out var right) || !match.TryGetProperty("op", out var op))
            return Truth.Maybe;
        var truth = IsOtherProtocol(left, packet) ? Truth.No : Is(Value(left, packet), right, 0);
        return op.ToString() switch
        {
            "==" or "in" => truth,
            // A rule about another protocol matches in neither form.
            "!=" when IsOtherProtocol(left, packet) => Truth.No,
            "!=" => truth switch { Truth.Yes => Truth.No, Truth.No => Truth.Yes, _ => Truth.Maybe },
            _ => Truth.Maybe,
        };
    }

    /// <summary>Is the value that the expression takes of this packet the one given?</summary>
    public Truth Of(JsonElement key, JsonElement value, TestPacket packet) => IsOtherProtocol(key, packet) ? Truth.No : Is(Value(key, packet), value, 0);

    /// <summary>"tcp dport" of a UDP packet: there is none, and the rule is passed over.</summary>
    private static bool IsOtherProtocol(JsonElement left, TestPacket packet) => Text(left, "payload", "protocol") switch
    {
        null or "th" => false,
        "ip" => packet.IsV6,
        "ip6" => !packet.IsV6,
        "icmpv6" => packet.Protocol != "ipv6-icmp",
        "ether" or "vlan" => false,
        var protocol => protocol != packet.Protocol,
    };

    /// <summary>Text or number; null: not known.</summary>
    private static object? Value(JsonElement left, TestPacket packet)
    {
        if (Text(left, "meta", "key") is { } meta)
        {
            return meta switch
            {
                "iifname" or "iif" => packet.Way == PacketWay.Arriving ? packet.Interface : "",
                "oifname" or "oif" => packet.Way == PacketWay.Leaving ? packet.Interface : "",
                "l4proto" => packet.Protocol,
                "nfproto" => packet.IsV6 ? "ipv6" : "ipv4",
                "protocol" => packet.IsV6 ? "ip6" : "ip",
                "pkttype" when packet.Way == PacketWay.Arriving && packet.To is { } to => to.Equals(IPAddress.Broadcast) ? "broadcast" : to.GetAddressBytes()[0] is >= 224 and < 240 ? "multicast" : null,
                _ => null,
            };
        }
        if (Text(left, "ct", "key") == "state")
            return "new";
        return (Text(left, "payload", "protocol"), Text(left, "payload", "field")) switch
        {
            ("udp" or "tcp" or "th", "dport") => packet.Port,
            ("udp" or "tcp" or "th", "sport") => packet.SourcePort,
            ("ip", "protocol") or ("ip6", "nexthdr") => packet.Protocol,
            ("ip", "daddr") => packet.To,
            ("icmpv6", "type") => packet.IcmpType,
            _ => null,
        };
    }

    private Truth Is(object? value, JsonElement right, int depth)
    {
        if (value is null || depth > 4)
            return Truth.Maybe;
        switch (right.ValueKind)
        {
            case JsonValueKind.Number:
                return right.TryGetInt64(out var number) ? value switch
                {
                    int own => own == number ? Truth.Yes : Truth.No,
                    string name => name == Protocol(number) ? Truth.Yes : Protocol(number) is null ? Truth.Maybe : Truth.No,
                    _ => Truth.Maybe,
                } : Truth.Maybe;
            case JsonValueKind.String:
                return IsText(value, right.GetString()!, depth);
            case JsonValueKind.Array:
                return Any(right.EnumerateArray().Select(e => Is(value, e, depth + 1)));
            case JsonValueKind.Object when right.TryGetProperty("set", out var set):
                return Is(value, set, depth + 1);
            case JsonValueKind.Object when right.TryGetProperty("elem", out var elem) && elem.ValueKind == JsonValueKind.Object && elem.TryGetProperty("val", out var inner):
                return Is(value, inner, depth + 1);
            case JsonValueKind.Object when right.TryGetProperty("range", out var range) && range.ValueKind == JsonValueKind.Array && range.GetArrayLength() == 2:
                return IsWithin(value, range[0], range[1]);
            case JsonValueKind.Object when right.TryGetProperty("prefix", out var prefix):
                return IsWithin(value, prefix);
            default:
                return Truth.Maybe;
        }
    }

    private Truth IsText(object value, string text, int depth)
    {
        if (text.StartsWith('@'))
            return sets.TryGetValue(text[1..], out var set) ? set.ValueKind == JsonValueKind.Array && set.GetArrayLength() == 0 ? Truth.No : Is(value, set, depth + 1) : Truth.Maybe;
        return value switch
        {
            // "eth*": every name that begins so.
            string own => own == text || (text.EndsWith('*') && own.StartsWith(text[..^1], StringComparison.Ordinal)) ? Truth.Yes : Truth.No,
            IPAddress own => IPAddress.TryParse(text, out var address) ? own.Equals(address) ? Truth.Yes : Truth.No : Truth.Maybe,
            int own => int.TryParse(text, CultureInfo.InvariantCulture, out var number) ? own == number ? Truth.Yes : Truth.No : Truth.Maybe,
            _ => Truth.Maybe,
        };
    }

    private static Truth IsWithin(object value, JsonElement first, JsonElement last) => value switch
    {
        int own when first.ValueKind == JsonValueKind.Number && last.ValueKind == JsonValueKind.Number && first.TryGetInt64(out var low) && last.TryGetInt64(out var high)
            => own >= low && own <= high ? Truth.Yes : Truth.No,
        IPAddress own when Number(first) is { } low && Number(last) is { } high && Number(own) is { } address => address >= low && address <= high ? Truth.Yes : Truth.No,
        _ => Truth.Maybe,
    };

    private static Truth IsWithin(object value, JsonElement prefix) =>
        value is IPAddress own && Number(own) is { } address && prefix.ValueKind == JsonValueKind.Object && prefix.TryGetProperty("addr", out var addr) && Number(addr) is { } network
        && prefix.TryGetProperty("len", out var len) && len.TryGetInt32(out var bits) && bits is >= 0 and <= 32
            ? bits == 0 || address >> (32 - bits) == network >> (32 - bits) ? Truth.Yes : Truth.No
            : Truth.Maybe;

    private static uint? Number(JsonElement text) => text.ValueKind == JsonValueKind.String && IPAddress.TryParse(text.GetString(), out var address) ? Number(address) : null;

    private static uint? Number(IPAddress address) =>
        address.GetAddressBytes() is { Length: 4 } bytes ? System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(bytes) : null;

    private static string? Protocol(long number) => number switch { 1 => "icmp", 2 => "igmp", 6 => "tcp", 17 => "udp", 58 => "ipv6-icmp", _ => null };

    private static Truth Any(IEnumerable<Truth> all)
    {
        var best = Truth.No;
        foreach (var one in all)
            best = one > best ? one : best;
        return best;
    }

    private static string? Text(JsonElement element, string name, string inner) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var outer) && outer.ValueKind == JsonValueKind.Object
        && outer.TryGetProperty(inner, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
