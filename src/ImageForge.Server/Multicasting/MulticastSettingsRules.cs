using System.Net;
using System.Net.Sockets;
using ImageForge.Server.BootServices;

namespace ImageForge.Server.Multicasting;

/// <summary>Whether settings make sense before anything is sent with them.</summary>
internal static class MulticastSettingsRules
{
    private static readonly IPNetwork s_ipv4 = IPNetwork.Parse("239.0.0.0/8"), s_ipv6 = IPNetwork.Parse("ff10::/12");

    // Ethernet has 23 bits for a group (RFC 1112 §6.4): these share theirs with 224.0.0.0/24, which switches send to every port (RFC 4541 §2.1.2).
    private static readonly IPNetwork[] s_flooded = [IPNetwork.Parse("239.0.0.0/24"), IPNetwork.Parse("239.128.0.0/24")];

    /// <summary>Null when they do.</summary>
    /// <param name="on">The interface they mean; null: none is chosen.</param>
    public static SettingsFault? Check(MulticastSettings settings, SendInterface? on) =>
        !Enum.IsDefined(settings.Family) ? new("family", "There is no such family of addresses.", "Write ipv4 or ipv6.") : Range(settings) ?? Groups(settings) ?? OnInterface(settings, on);

    private static SettingsFault? Range(MulticastSettings settings) => settings switch
    {
        { FirstPort: < 1024 } or { LastPort: > 65535 } or { FirstPort: > 65535 } => new("ports", $"The ports {settings.FirstPort} to {settings.LastPort} are not all between 1024 and 65535.", "Choose others, for example 30100 to 30199."),
        _ when settings.LastPort < settings.FirstPort => new("ports", $"The ports end at {settings.LastPort}, before their first, {settings.FirstPort}.", "Swap them."),
        { Ttl: < 1 or > 255 } => new("ttl", $"A TTL of {settings.Ttl} is not possible.", "Choose 1 for the server's own segment, or one more than the routers to pass."),
        { Mtu: < 1280 or > 9216 } => new("mtu", $"An MTU of {settings.Mtu} is out of range.", "Choose 1500; with jumbo frames on the whole way 9000."),
        { Batch: < 1 or > 64 } => new("batch", $"A batch of {settings.Batch} packets is not possible.", "Choose 1 to 64; 44 fill one call."),
        { MegabitsPerSecond: { } rate } when !(rate is >= 1 and <= 400_000) => new("bandwidth", $"{rate} Mbit/s is out of range.", "Choose 1 to 400000, or null for as fast as the machines take it."),
        _ when !(settings.PatienceSeconds is >= 1 and <= 120) => new("patience", $"A patience of {settings.PatienceSeconds} s is out of range.", "Choose 1 to 120 s; 5 is enough for every switch that works."),
        _ => null,
    };

    private static SettingsFault? Groups(MulticastSettings settings)
    {
        var (all, example) = settings.Family == MulticastFamily.Ipv4 ? (s_ipv4, MulticastSettings.DefaultIpv4Groups) : (s_ipv6, MulticastSettings.DefaultIpv6Groups);
        if (!GroupRange.TryParse(settings.GroupsOrDefault, out var range))
            return new("groups", $"\"{settings.Groups}\" is no range of groups: an address and the length of its prefix, nothing set behind it.", $"Write it as {example}.");
        if (!all.Contains(range.Network.BaseAddress) || range.Network.PrefixLength < all.PrefixLength)
            return new("groups", $"{range} does not lie inside {all}: other groups belong to other programs or to the whole internet.", $"Choose a range such as {example}, or leave it out.");
        if (settings.Family == MulticastFamily.Ipv6 && (range.Network.PrefixLength < 16 || (range.Network.BaseAddress.GetAddressBytes()[1] & 0x0f) is < 2 or > 8))
            return new("groups", $"{range} is not of one scope between the link (2) and the organisation (8).", $"Choose a range such as {example}; the fourth digit is the scope.");
        foreach (var flooded in s_flooded)
        {
            if (range.Overlaps(flooded))
                return new("groups", $"{range} has groups of {flooded}, which switches send to every port: their Ethernet addresses are those of 224.0.0.0/24.", $"Choose a range such as {example}.");
        }
        return null;
    }

    private static SettingsFault? OnInterface(MulticastSettings settings, SendInterface? on)
    {
        if (on is null)
            return settings.Interface is { } missing
                ? new("interface", $"There is no network interface {missing}; this machine has {string.Join(", ", SendInterface.All().Select(static i => i.Name))}.", "Choose one of these, or null for the one that the boot services serve.")
                : null;
        var family = settings.Family == MulticastFamily.Ipv4 ? AddressFamily.InterNetwork : AddressFamily.InterNetworkV6;
        if (!on.Networks.Any(n => n.Address.AddressFamily == family))
            return new("interface", $"The interface {on.Name} has no {(settings.Family == MulticastFamily.Ipv4 ? "IPv4" : "IPv6")} address.", "Give it one, choose another interface or the other family.");
        return on.Mtu > 0 && settings.Mtu > on.Mtu
            ? new("mtu", $"The interface {on.Name} has an MTU of {on.Mtu}, so packets of {settings.Mtu} bytes cannot leave it.", $"Choose at most {on.Mtu}, or raise it with `ip link set {on.Name} mtu {settings.Mtu}` where every switch and machine has jumbo frames, too.")
            : null;
    }
}
