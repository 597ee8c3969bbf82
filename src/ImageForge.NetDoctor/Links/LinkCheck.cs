using System.Globalization;
using ImageForge.NetDoctor.Findings;

namespace ImageForge.NetDoctor.Links;

/// <summary>The port: is it there, how fast, and does it lose packets while we look?</summary>
internal static class LinkCheck
{
    private const int SlowMegabits = 100;

    public static Finding NoSuchInterface(string name, IEnumerable<string> known) => Finding.Problem("noSuchInterface", name, "absent",
        $"There is no network interface {name}; this machine has {string.Join(", ", known)}.", "Name one of these with --interface.");

    /// <summary>Findings about the port as it is before the run; when one is a <see cref="Severity.Problem"/> with code <c>linkDown</c> or <c>noCarrier</c>, nothing else can be looked at.</summary>
    public static IEnumerable<Finding> Judge(LinkState link)
    {
        if (!link.Up)
        {
            yield return Finding.Problem("linkDown", link.Name, "down", $"The interface {link.Name} is switched off.", $"ip link set {link.Name} up, and see that the system's network configuration does so at each start.");
            yield break;
        }
        if (link.Carrier == false)
            yield return Finding.Problem("noCarrier", link.Name, "no carrier", $"No signal on {link.Name}: no cable, or nothing alive at its other end.", "Plug the cable in, or try another cable and another port of the switch.");
        if (!link.CanMulticast)
            yield return link.IsLoopback
                ? Finding.Note("loopback", link.Name, "no MULTICAST flag", "The loopback interface carries no multicast to other machines.")
                : Finding.Problem("noMulticastFlag", link.Name, "no MULTICAST flag", $"Multicast is switched off on {link.Name}.", $"ip link set {link.Name} multicast on.");

        if (link.Modes is { Duplex: Duplex.Half })
            yield return Finding.Problem("halfDuplex", link.Name, link.Describe(),
                $"{link.Name} runs in half duplex: it cannot send and receive at once, and collisions destroy packets under load.",
                "Set both ends to automatic negotiation (ethtool -s " + link.Name + " autoneg on); one end set by hand makes the other fall back to half duplex.");
        if (link.Modes is { MegabitsPerSecond: <= SlowMegabits and var speed, AutoNegotiation: var negotiated, CouldDoGigabit: var could })
        {
            var why = could == true ? " although both ends could do 1000" : negotiated == false ? " and does not negotiate" : "";
            yield return Finding.Problem("slowLink", link.Name, link.Describe(),
                string.Create(CultureInfo.InvariantCulture, $"{link.Name} runs at {speed} Mb/s{why}: one machine fills it, and a room in multicast is held to it."),
                could == true ? "Change the cable: a broken pair leaves 100 Mb/s; then look at the switch port's own setting." : "Use a gigabit port of the switch, an eight-wire cable, and automatic negotiation at both ends.");
        }
        else if (link.Modes is { MegabitsPerSecond: not null, Duplex: not Duplex.Half })
            yield return Finding.Fine("link", link.Name, link.Describe(), $"{link.Name} is connected.");
        else if (link.Modes?.MegabitsPerSecond is null && !link.IsLoopback)
            yield return Finding.Note("speedUnknown", link.Name, link.Describe(), $"The driver of {link.Name} does not say its speed, as virtual cards do.");
    }

    /// <summary>What grew between two looks.</summary>
    public static IEnumerable<Finding> Judge(LinkState before, LinkState? after, TimeSpan between)
    {
        if (after is null || after.Index != before.Index)
        {
            yield return Finding.Problem("interfaceVanished", before.Name, "gone", $"The interface {before.Name} went away during the run.", "Find out what removes it (a driver, a virtual machine manager, network configuration), then run the doctor again.");
            yield break;
        }
        var grown = after.Counters.Select(c => (Name: c.Key, By: c.Value - before.Counters.GetValueOrDefault(c.Key))).Where(static c => c.By > 0).ToList();
        var flaps = grown.Where(static c => c.Name == "carrier_changes").Sum(static c => c.By);
        var errors = grown.Where(static c => c.Name is not "carrier_changes" && !c.Name.EndsWith("_dropped", StringComparison.Ordinal)).ToList();
        var drops = grown.Where(static c => c.Name.EndsWith("_dropped", StringComparison.Ordinal)).ToList();
        var seconds = between.TotalSeconds.ToString("0", CultureInfo.InvariantCulture);
        if (flaps > 0)
            yield return Finding.Problem("linkFlaps", before.Name, $"{flaps} changes in {seconds} s", $"The signal on {before.Name} came or went {flaps} times during the run.", "Change the cable, then the port of the switch; switch off energy-saving Ethernet if it goes on.");
        if (errors.Count > 0)
            yield return Finding.Problem("linkErrors", before.Name, Text(errors), $"{before.Name} counted errors during {seconds} s: packets are destroyed on the way.", "Change the cable, then the port of the switch; collisions or frame errors point to a duplex setting that differs between the two ends.");
        if (drops.Count > 0)
            yield return Finding.Warning("linkDrops", before.Name, Text(drops), $"{before.Name} dropped packets during {seconds} s: this machine did not take or send them fast enough.", $"Raise the card's queues (ethtool -G {before.Name} rx 4096) and look for a busy processor.");
        if (grown.Count == 0)
            yield return Finding.Fine("linkCounters", before.Name, "0 errors, 0 drops", $"{before.Name} lost nothing in {seconds} s.");
    }

    private static string Text(IEnumerable<(string Name, long By)> counters) => string.Join(", ", counters.Select(static c => $"{c.Name} +{c.By}"));
}
