using System.Globalization;
using System.Net;
using ImageForge.NetDoctor.Findings;

namespace ImageForge.NetDoctor.Queriers;

/// <summary>Without a querier a snooping switch forgets who listens, and cuts the stream after about four minutes (RFC 4541 §2.1).</summary>
internal static class QuerierCheck
{
    // RFC 3376 §8.2.
    private static readonly TimeSpan s_usualInterval = TimeSpan.FromSeconds(125);

    public static IEnumerable<Finding> Judge(QuerierFacts facts) =>
        [.. Family(facts, v6: false), .. facts.HasV6 ? Family(facts, v6: true) : [], .. Snooping(facts)];

    private static IEnumerable<Finding> Family(QuerierFacts facts, bool v6)
    {
        var name = v6 ? "MLD" : "IGMP";
        var heard = facts.Queries.Where(q => q.IsV6 == v6).ToList();
        if (heard.Count == 0)
        {
            yield return Absent(facts, v6, name);
            yield break;
        }
        var queriers = heard.GroupBy(q => q.Source).Select(g => (Address: g.Key, Version: g.Max(q => q.Message.Version), Count: g.Count())).ToList();
        var measured = string.Join(", ", queriers.Select(q => $"{q.Address} {name}v{q.Version}"));
        yield return Finding.Fine(v6 ? "mldQuerier" : "igmpQuerier", facts.Interface, measured,
            $"{(queriers.Count == 1 ? "A querier keeps" : $"{queriers.Count} queriers keep")} the switches informed ({name}, first heard after {Seconds(heard.Min(q => q.After))} s).");

        if (!v6 && queriers.All(q => q.Address.Equals(IPAddress.Any)))
            yield return Finding.Note("querierWithoutAddress", facts.Interface, "0.0.0.0",
                "The only IGMP querier asks from the address 0.0.0.0, as a switch without an address of its own does; a few machines ignore that.",
                "Give the querying switch or bridge an address in this network.");
        if (queriers.Count(q => !q.Address.Equals(IPAddress.Any)) > 1)
            yield return Finding.Note($"several{name[0]}{name[1..].ToLowerInvariant()}Queriers", facts.Interface, measured,
                "More than one querier was heard; the one with the lowest address takes over, the others fall silent.");
        if (!v6 && queriers.Any(q => q.Version == 1))
            yield return Finding.Warning("igmpVersion1", facts.Interface, measured,
                "A querier speaks IGMP version 1, which knows no leaving: streams keep running to machines that left.", "Set the querier to IGMP version 2 or 3.");
        if (heard.Where(q => q.Message.Group is null).Max(q => q.Message.QueryInterval) is { } interval && interval > 2 * s_usualInterval)
            yield return Finding.Warning("querierSlow", facts.Interface, $"{Seconds(interval)} s",
                $"The querier asks only every {Seconds(interval)} s; switches that forget members after 260 s cut streams in between.", "Set its query interval to 125 s or less.");
    }

    private static Finding Absent(QuerierFacts facts, bool v6, string name)
    {
        var code = v6 ? "noMldQuerier" : "noIgmpQuerier";
        var measured = $"no query in {Seconds(facts.Listened)} s";
        var how = facts.Provoked ? $"{Seconds(facts.Listened)} s, although a group was left meanwhile" : $"{Seconds(facts.Listened)} s";
        if (facts.Bridge is { Snooping: true } bridge)
        {
            return Finding.Problem(code, facts.Interface, measured,
                $"Nobody asked for {name} members in {how}, and the bridge {bridge.Name} snoops: it forgets who listens and cuts multicast after about four minutes.",
                $"ip link set dev {bridge.Name} type bridge mcast_querier 1 (or mcast_snooping 0), or switch on a querier elsewhere in this network.");
        }
        if (facts.SnoopingSeen == true && !v6)
        {
            return Finding.Problem(code, facts.Interface, measured,
                $"Nobody asked for {name} members in {how}, and a switch between the interfaces snoops: it forgets who listens and cuts multicast after about four minutes.",
                "Switch on the IGMP querier of the switch or router for this VLAN, or switch IGMP snooping off there.");
        }
        var wait = facts.Provoked || facts.Listened > s_usualInterval ? "" : " A querier asks every 125 s: listen longer (--seconds 130) to be sure.";
        var cure = $"If a switch here has {name} snooping, switch on its querier for this VLAN, or its snooping off; without snooping nothing needs doing.{wait}";
        var sentence = $"No {name} querier was heard in {how}; where a switch snoops, multicast stops after about four minutes.";
        // Sessions over IPv4 do not need MLD.
        return v6 && !facts.UsesV6 ? Finding.Note(code, facts.Interface, measured, sentence, cure) : Finding.Warning(code, facts.Interface, measured, sentence, cure);
    }

    private static IEnumerable<Finding> Snooping(QuerierFacts facts)
    {
        if (facts.Bridge is { } bridge)
            yield return Finding.Note("bridge", facts.Interface, $"snooping {(bridge.Snooping ? "on" : "off")}, querier {(bridge.Querier ? "on" : "off")}",
                bridge.IsPort ? $"The interface is a port of the bridge {bridge.Name}." : "The interface is a bridge.");
        if (facts.Bridge is { IsPort: true, PortFloods: false, Name: var name })
            yield return Finding.Note("portDoesNotFlood", facts.Interface, "multicast_flood 0",
                $"The bridge {name} sends this port only groups that were asked for there.", "bridge link set dev … mcast_flood on, if members behind it hear nothing.");
        if (facts.SnoopingSeen is { } seen)
            yield return Finding.Note("snooping", facts.Interface, seen ? "held back" : "flooded",
                seen ? "A switch on the way snoops: a group that nobody had joined did not come through." : "No switch on the way snoops: a group that nobody had joined came through as well.");
    }

    private static string Seconds(TimeSpan time) => time.TotalSeconds.ToString(time.TotalSeconds < 10 ? "0.#" : "0", CultureInfo.InvariantCulture);
}
