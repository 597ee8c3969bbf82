using System.Globalization;
using System.Net;
using ImageForge.NetDoctor.Findings;

namespace ImageForge.NetDoctor.Ports;

/// <param name="Owner">Null: not to be seen without root.</param>
internal sealed record PortHolder(BoundSocket Socket, SocketOwner? Owner);

/// <param name="Answer">Of the self-probe; null: there was nobody to ask, or no way to.</param>
internal sealed record PortFacts(WantedPort Port, IReadOnlyList<PortHolder> Holders, SelfAnswer? Answer);

/// <summary>Who holds the ports that booting machines ask at.</summary>
internal static class PortCheck
{
    public static IEnumerable<Finding> Judge(PortFacts facts)
    {
        var (port, name) = (facts.Port, Name(facts.Port));
        var foreign = facts.Holders.Where(static h => h.Owner is { IsImageForge: false }).ToList();
        var unseen = facts.Holders.Count(static h => h.Owner is null);
        var measured = facts.Holders.Count == 0 ? "free" : string.Join(", ", facts.Holders.Select(Text).Distinct());
        if (foreign.Count > 0)
        {
            yield return Finding.Problem("portTaken", null, measured, $"{name} ({port.Purpose}) is held by {string.Join(", ", foreign.Select(static h => $"{h.Owner!.Program} (process {h.Owner.Process})").Distinct())}, not by ImageForge.",
                $"Stop that program, or its {port.Purpose} part; to see it: ss -lnp '( sport = :{port.Number} )'.");
            yield break;
        }
        if (unseen > 0)
        {
            yield return Finding.NotChecked("portOwner", null, measured, $"{name} ({port.Purpose}) is in use; by whom, only root may see.", "Run the doctor as root.");
            yield break;
        }
        if (facts.Holders.Count == 0)
        {
            yield return port.Expected == true
                ? Finding.Problem("portSilent", null, measured, $"Nobody listens at {name} ({port.Purpose}), although our service should.", "Look at GET /api/v1/boot-services and the server's log.")
                : port.Expected == false
                    ? Finding.Fine("port", null, measured, $"{name} ({port.Purpose}) is not used, as set.")
                    : Finding.Note("portFree", null, measured, $"Nobody listens at {name} ({port.Purpose}) on this machine.", "Nothing, unless this machine is the ImageForge server: then start it.");
            yield break;
        }
        yield return facts.Answer switch
        {
            SelfAnswer.Refuses => Finding.Problem("portRefuses", null, measured, $"ImageForge holds {name} ({port.Purpose}), but not at this interface's address.", "Let it listen on all addresses (ImageForge:ListenAddress), or on this interface's."),
            SelfAnswer.Silent when port.Transport == "tcp" => Finding.Problem("portBlocked", null, measured, $"A connection to {name} ({port.Purpose}) at this interface's own address gets no answer.", "Look for a firewall rule that drops it (below)."),
            SelfAnswer.Answers => Finding.Fine("port", null, measured, $"ImageForge holds {name} ({port.Purpose}) and answers."),
            _ => Finding.Fine("port", null, measured, $"ImageForge holds {name} ({port.Purpose})."),
        };
    }

    /// <summary>Programs that hold ports of the sessions.</summary>
    public static Finding JudgeRange(int first, int last, IReadOnlyList<PortHolder> holders)
    {
        var foreign = holders.Where(static h => h.Owner is { IsImageForge: false }).ToList();
        var range = string.Create(CultureInfo.InvariantCulture, $"UDP {first}–{last}");
        return foreign.Count > 0
            ? Finding.Warning("multicastPortTaken", null, string.Join(", ", foreign.Select(Text).Distinct()), $"Of the sessions' ports {range}, {foreign.Count} are held by other programs of this machine.", "Choose another range for multicast sessions, or stop that program.")
            : Finding.Fine("multicastPorts", null, "free", $"The sessions' ports {range} are not held by other programs.");
    }

    private static string Name(WantedPort port) => string.Create(CultureInfo.InvariantCulture, $"{port.Transport.ToUpperInvariant()} {port.Number}");

    private static string Text(PortHolder holder) => string.Create(CultureInfo.InvariantCulture,
        $"{holder.Owner?.Program ?? "?"} at {(IsAny(holder.Socket.Address) ? "*" : holder.Socket.Address)}:{holder.Socket.Port}");

    private static bool IsAny(IPAddress address) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);
}
