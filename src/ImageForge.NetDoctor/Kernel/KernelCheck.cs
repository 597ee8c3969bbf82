using System.Globalization;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using ImageForge.NetDoctor.Findings;

namespace ImageForge.NetDoctor.Kernel;

/// <summary>Settings of /proc/sys that swallow multicast.</summary>
/// <param name="ReversePath">rp_filter in force: 0 off, 1 strict, 2 loose.</param>
/// <param name="MaxMemberships">Groups that one socket may join.</param>
/// <param name="ForcedIgmp">0: as the querier speaks.</param>
/// <param name="Ambiguous">Another interface is in the same network, or this one has no IPv4 address: the way back may be another.</param>
internal sealed record KernelFacts(string Interface, int ReversePath, int MaxMemberships, int ForcedIgmp, bool Ambiguous)
{
    public static KernelFacts Read(string name)
    {
        static int Number(string file) => (int)(KernelFile.ReadNumber($"/proc/sys/net/ipv4/{file}") ?? 0);
        // The stricter of the two numbers holds (Documentation/networking/ip-sysctl.rst); 0 and 2 make 2.
        return new KernelFacts(
            name, Math.Max(Number("conf/all/rp_filter"), Number($"conf/{name}/rp_filter")), Number("igmp_max_memberships"),
            Math.Max(Number("conf/all/force_igmp_version"), Number($"conf/{name}/force_igmp_version")), IsAmbiguous(name));
    }

    private static bool IsAmbiguous(string name)
    {
        var networks = NetworkInterface.GetAllNetworkInterfaces()
            .SelectMany(static i => i.GetIPProperties().UnicastAddresses.Where(static a => a.Address.AddressFamily == AddressFamily.InterNetwork).Select(a => (i.Name, a.Address, a.PrefixLength)))
            .ToList();
        var own = networks.Where(n => n.Name == name).ToList();
        return own.Count == 0 || own.Any(o => networks.Any(n => n.Name != name && Bits(n.Address, Math.Min(n.PrefixLength, o.PrefixLength)) == Bits(o.Address, Math.Min(n.PrefixLength, o.PrefixLength))));
    }

    private static uint Bits(System.Net.IPAddress address, int prefix) =>
        prefix == 0 ? 0 : System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(address.GetAddressBytes()) >> (32 - prefix);
}

internal static class KernelCheck
{
    private const int FewMemberships = 8;

    public static IEnumerable<Finding> Judge(KernelFacts facts)
    {
        var (on, mode) = (facts.Interface, facts.ReversePath.ToString(CultureInfo.InvariantCulture));
        if (facts is { ReversePath: 1, Ambiguous: true })
            yield return Finding.Warning("reversePathFilter", on, $"rp_filter {mode}", $"The kernel drops packets on {on} whose sender it would answer by another interface, multicast too, and here the way back is not certain.",
                $"sysctl -w net.ipv4.conf.all.rp_filter=2 net.ipv4.conf.{on}.rp_filter=2 (loose), and the same below /etc/sysctl.d.");
        else
            yield return Finding.Fine("reversePathFilter", on, $"rp_filter {mode}", facts.ReversePath == 1 ? "Strict, which harms nothing while senders are in the interface's own network." : "Nothing is dropped for its sender's route.");
        if (facts.MaxMemberships is > 0 and < FewMemberships)
            yield return Finding.Warning("fewMemberships", on, $"igmp_max_memberships {facts.MaxMemberships}", $"A program may join only {facts.MaxMemberships} groups.", "sysctl -w net.ipv4.igmp_max_memberships=20, and the same below /etc/sysctl.d.");
        else
            yield return Finding.Fine("memberships", on, $"igmp_max_memberships {facts.MaxMemberships}", "Enough groups may be joined.");
        if (facts.ForcedIgmp is 1 or 2)
            yield return Finding.Note("forcedIgmpVersion", on, $"IGMPv{facts.ForcedIgmp}", $"This machine is told to speak IGMP version {facts.ForcedIgmp}, whatever the querier speaks.", $"sysctl -w net.ipv4.conf.{on}.force_igmp_version=0, unless a switch needs it.");
    }
}
