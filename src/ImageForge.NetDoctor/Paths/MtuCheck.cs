using System.Globalization;
using ImageForge.NetDoctor.Findings;

namespace ImageForge.NetDoctor.Paths;

/// <summary>Are packets of the size that both ends believe in also carried in between?</summary>
internal static class MtuCheck
{
    private const int Ethernet = 1500;

    public static IEnumerable<Finding> Judge(string on, int mtu, bool isLoopback, PathFacts? path)
    {
        if (!isLoopback && mtu != Ethernet)
            yield return mtu > Ethernet
                ? Finding.Warning("jumboMtu", on, Bytes(mtu), $"{on} is set to packets of {Bytes(mtu)}; a machine or switch here that is not drops them without a word.",
                    $"Set every device of the segment to the same, or this one to the usual size: ip link set {on} mtu 1500.")
                : Finding.Warning("smallMtu", on, Bytes(mtu), $"{on} is set to packets of {Bytes(mtu)} instead of 1500: multicast packets for 1500 do not leave by it.",
                    $"ip link set {on} mtu 1500; where a tunnel forces the size, set the sessions' MTU to {mtu}.");
        if (path is null)
            yield break;
        if (path.Largest is not { } largest)
            yield return Finding.NotChecked("pathMtu", on, "no answer", $"{path.Target} answers no echo (ping), so the path to it could not be measured.", "Name a machine that answers with --target ADDRESS.");
        else if (largest == path.Tried)
            yield return Finding.Fine("pathMtu", on, Bytes(largest), $"Packets of {Bytes(largest)} reach {path.Target} undivided.");
        else if (path.Tried > Ethernet && largest == Ethernet)
            yield return Finding.Problem("jumboMismatch", on, $"{Bytes(largest)} of {Bytes(path.Tried)}", $"{on} sends packets of {Bytes(path.Tried)}, but only {Bytes(largest)} reach {path.Target}{Told(path)}.",
                $"Switch jumbo frames on at the switch and at {path.Target}, or set this interface back: ip link set {on} mtu 1500.");
        else
            yield return Finding.Problem("pathMtuSmall", on, $"{Bytes(largest)} of {Bytes(path.Tried)}", $"Only packets of {Bytes(largest)} reach {path.Target}{Told(path)}; those of {Bytes(path.Tried)} do not.",
                $"Find the narrow place (a tunnel, PPPoE, a wrong MTU at {path.Target} or a router) and widen it, or set the sessions' MTU to {largest}.");
    }

    private static string Told(PathFacts path) => path.ToldBy is { } router ? $", as {router} says" : ", and nobody says why (no \"fragmentation needed\" came back)";

    private static string Bytes(int count) => string.Create(CultureInfo.InvariantCulture, $"{count} bytes");
}
