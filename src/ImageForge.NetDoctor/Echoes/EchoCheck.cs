using ImageForge.NetDoctor.Findings;

namespace ImageForge.NetDoctor.Echoes;

/// <param name="HeardItself">Null: it could not be tried.</param>
internal sealed record EchoFacts(string Interface, int Index, bool? HeardItself, string? Failure, IReadOnlyDictionary<(int From, EchoKind Kind), int> Heard);

/// <summary>Does multicast come back: to a listener on the same interface, and between two chosen interfaces?</summary>
internal static class EchoCheck
{
    public static IEnumerable<Finding> Judge(IReadOnlyList<EchoFacts> all, int ttl)
    {
        yield return Finding.Note("sessionTtl", null, $"TTL {ttl}", ttl == 1
            ? "Sessions stay in their segment: machines behind a router get no multicast."
            : $"Sessions pass at most {ttl - 1} routers, where these route multicast.");
        foreach (var one in all)
        {
            yield return Own(one);
            foreach (var other in all.Where(o => o.Index != one.Index))
                yield return Between(other, one, ttl);
        }
    }

    /// <summary>A switch between two of the interfaces held back a group nobody had joined; null: none of it could be seen.</summary>
    public static bool? SnoopingTo(EchoFacts one) =>
        one.Heard.Keys.Any(static k => k.Kind == EchoKind.Joined) && one.Heard.Keys.Any(static k => k.Kind == EchoKind.Broadcast)
            ? !one.Heard.Keys.Any(static k => k.Kind == EchoKind.Unjoined)
            : null;

    private static Finding Own(EchoFacts one) => one switch
    {
        { HeardItself: true } => Finding.Fine("multicastEcho", one.Interface, "heard", $"A group joined on {one.Interface} is heard by this machine."),
        { HeardItself: null } => Finding.NotChecked("multicastEcho", one.Interface, one.Failure ?? "no socket", $"Multicast on {one.Interface} could not be tried: {one.Failure}.",
            "Give the interface an IPv4 address, then run the doctor again; if the kernel has no buffer space, raise net.ipv4.igmp_max_memberships."),
        { Failure: { } failure } => Finding.Problem("multicastNotSent", one.Interface, failure, $"Multicast could not be sent by {one.Interface}: {failure}.",
            "Look for a firewall rule that drops what leaves (below), and for a route to 224.0.0.0/4: ip route add 224.0.0.0/4 dev " + one.Interface + "."),
        _ => Finding.Problem("multicastNotHeard", one.Interface, "not heard", $"Multicast sent by {one.Interface} is not heard by a member on the same interface of this machine.",
            "Look for a firewall rule that drops UDP to 239.0.0.0/8 or IGMP (below)."),
    };

    private static Finding Between(EchoFacts from, EchoFacts to, int ttl)
    {
        var way = $"{from.Interface} → {to.Interface}";
        if (!to.Heard.TryGetValue((from.Index, EchoKind.Joined), out var arrived))
            return to.Heard.ContainsKey((from.Index, EchoKind.Broadcast))
                ? Finding.Problem("multicastLost", to.Interface, $"{way}: broadcast yes, multicast no", $"Broadcasts of {from.Interface} arrive at {to.Interface}, but a group joined there does not: something between them filters multicast.",
                    "Look at the switches between them: IGMP snooping without a querier, storm control, or \"block unknown multicast\" on a port; wireless access points drop it, too.")
                : Finding.Note("otherSegment", to.Interface, $"{way}: nothing", $"{from.Interface} and {to.Interface} are not in one segment, so multicast between them was not compared.");
        return arrived < ttl
            ? Finding.Warning("ttlShrinks", to.Interface, $"{way}: TTL {ttl} → {arrived}", $"{ttl - arrived} routers lie between {from.Interface} and {to.Interface}; each takes one from the TTL.", $"Set the sessions' TTL to {ttl - arrived + 1} or more.")
            : Finding.Fine("multicastBetween", to.Interface, $"{way}: TTL {arrived}", $"A group sent by {from.Interface} arrives at {to.Interface}.");
    }
}
