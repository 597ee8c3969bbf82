using ImageForge.NetDoctor.Findings;

namespace ImageForge.NetDoctor.DhcpServers;

/// <summary>Who gives addresses and boot files on the segment, and whether machines end up at our server.</summary>
internal static class DhcpCheck
{
    /// <param name="answers">Of one interface.</param>
    /// <param name="ourAddresses">The ImageForge server's.</param>
    /// <param name="oursExpected">Our proxyDHCP or DHCP should answer on this interface.</param>
    public static IEnumerable<Finding> Judge(string on, IReadOnlyList<DhcpAnswer> answers, IReadOnlySet<string> ourAddresses, bool oursExpected, TimeSpan listened)
    {
        var givers = answers.Where(static a => a is { Kind: AnswerKind.Dhcp, OfferedAddress: not null }).GroupBy(static a => a.Server).ToList();
        var foreign = answers.Where(static a => !a.Ours).ToList();
        return
        [
            .. Ours(on, answers, oursExpected, listened), .. Givers(on, givers, listened), .. foreign.Where(static a => a.Kind == AnswerKind.ProxyDhcp).GroupBy(static a => a.Server).Select(g => Proxy(on, g.First())),
            .. givers.Where(static g => !g.First().Ours).SelectMany(g => BootFile(on, [.. g], answers, ourAddresses)), .. foreign.Where(static a => a.Kind == AnswerKind.BootServer).GroupBy(static a => a.Server).Select(g => BootServer(on, g.First(), foreign)),
        ];
    }

    private static IEnumerable<Finding> Ours(string on, IReadOnlyList<DhcpAnswer> answers, bool expected, TimeSpan listened)
    {
        var ours = answers.Where(static a => a.Ours).ToList();
        if (ours.Count > 0)
        {
            var boots = ours.Where(static a => a.BootFile is not null).Select(static a => $"{a.Asked switch { AskedAs.Bios => "BIOS", AskedAs.BootServer => "port 4011", AskedAs.Uefi => "UEFI", _ => "any" }}: {a.BootFile}").Distinct();
            yield return Finding.Fine("ourDhcp", on, string.Join(", ", boots), $"Our own {(ours.Any(static a => a.Kind == AnswerKind.Dhcp) ? "DHCP server" : "proxyDHCP")} ({ours[0].Server}) answers.");
        }
        else if (expected)
        {
            yield return Finding.Problem("ourDhcpSilent", on, $"no answer in {(int)listened.TotalSeconds} s",
                "Our own DHCP service runs on this interface, but nothing of it answered a question asked there.",
                "Look for a firewall that drops UDP 67 (below), then at the service's counters: GET /api/v1/boot-services.");
        }
    }

    private static IEnumerable<Finding> Givers(string on, List<IGrouping<string, DhcpAnswer>> givers, TimeSpan listened)
    {
        if (givers.Count == 0)
        {
            yield return Finding.Warning("noDhcpServer", on, $"no offer in {(int)listened.TotalSeconds} s", "No DHCP server offered an address: machines cannot boot from this network.",
                "Connect this network to its DHCP server, or let ImageForge give the addresses (DHCP mode \"full\").");
            yield break;
        }
        var names = string.Join(", ", givers.Select(static g => $"{g.Key} ({g.First().OfferedAddress})"));
        if (givers.Count == 1)
        {
            yield return Finding.Fine("dhcpServer", on, names, $"One DHCP server gives addresses{(givers[0].First().Ours ? ": our own" : "")}.");
            yield break;
        }
        if (givers.Any(static g => g.First().Ours))
            yield return Finding.Problem("otherDhcpServer", on, names, $"Besides our own DHCP server another one gives addresses: {string.Join(", ", givers.Where(static g => !g.First().Ours).Select(static g => g.Key))}.",
                "Set our DHCP mode to \"proxy\", or switch the other server off for this network.");
        else if (givers.Select(static g => Essence(g.First())).Distinct().Count() > 1)
            yield return Finding.Problem("dhcpServersDiffer", on, names, $"{givers.Count} DHCP servers give different answers, and a machine takes the first: {string.Join("; ", givers.Select(static g => $"{g.Key} says {Essence(g.First())}"))}.",
                "Find the one that does not belong here by its address and MAC, and switch it off; a home router plugged in the wrong way round is the usual culprit.");
        else
            yield return Finding.Note("severalDhcpServers", on, names, $"{givers.Count} DHCP servers give the same answers, as a fail-over pair does.", "Nothing, if they are meant to be a pair.");
    }

    /// <summary>What a machine's life depends on; of the address only its network.</summary>
    private static string Essence(DhcpAnswer a) =>
        $"network {Network(a.OfferedAddress, a.SubnetMask)}, router {a.Router ?? "none"}{(a.BootFile is null ? "" : $", boot file {a.BootFile}")}";

    private static string Network(string? address, string? mask)
    {
        if (address is null || mask is null)
            return "unknown";
        var (a, m) = (System.Net.IPAddress.Parse(address).GetAddressBytes(), System.Net.IPAddress.Parse(mask).GetAddressBytes());
        return string.Join('.', a.Zip(m, static (x, y) => x & y));
    }

    private static Finding Proxy(string on, DhcpAnswer answer) => Finding.Problem("otherProxyDhcp", on, Offer(answer),
        $"Another proxyDHCP or PXE service answers here: {answer.Server}{Mac(answer)}; a machine takes whichever comes first.",
        "Switch that service off for this network (FOG, WDS, MDT, dnsmasq's pxe-service), or keep its machines in a VLAN of their own.");

    private static Finding BootServer(string on, DhcpAnswer answer, IReadOnlyList<DhcpAnswer> foreign) => Finding.Problem("otherBootServer", on, Offer(answer),
        $"Another PXE boot server answers on UDP 4011: {answer.Server}{Mac(answer)}{(foreign.Any(f => f.Kind == AnswerKind.Dhcp && f.Server == answer.Server) ? ", on the DHCP server itself" : "")}.",
        "Switch its PXE service off (on Windows: WDS, or its option 60 in DHCP).");

    private static IEnumerable<Finding> BootFile(string on, IReadOnlyList<DhcpAnswer> ofOne, IReadOnlyList<DhcpAnswer> all, IReadOnlySet<string> ourAddresses)
    {
        var answer = ofOne.FirstOrDefault(static a => a.BootFile is not null) ?? ofOne.FirstOrDefault(static a => a.VendorClass is not null || a.TftpServer is not null) ?? ofOne[0];
        if (answer.VendorClass?.StartsWith("PXEClient", StringComparison.Ordinal) == true)
            yield return Finding.Problem("dhcpClaimsBootServer", on, $"option 60 {answer.VendorClass}",
                $"The DHCP server {answer.Server} says with option 60 that it is the boot server as well: firmware asks it on port 4011 and nobody else{(all.Any(a => a.Kind == AnswerKind.BootServer && a.Server == answer.Server) ? "" : ", and it does not answer there")}.",
                "Remove option 60 (\"PXEClient\") from the DHCP server's scope.");

        // Firmware takes the server from siaddr first, then from option 66 (RFC 5859 is about telephones); dnsmasq names itself unasked, which alone harms nobody.
        var from = answer.NextServer is not null && answer.NextServer != answer.Server ? answer.NextServer : answer.TftpServer ?? answer.NextServer ?? answer.Server;
        if (answer.BootFile is null && answer.TftpServer is null && (answer.NextServer is null || answer.NextServer == answer.Server || ourAddresses.Contains(answer.NextServer)))
        {
            yield return Finding.Fine("noBootFileFromDhcp", on, "options 66 and 67 not set", $"The DHCP server {answer.Server} leaves the boot file to proxyDHCP.");
            yield break;
        }
        var what = answer.BootFile is null ? "no file" : answer.BootFile;
        if (ourAddresses.Contains(from))
            yield return Finding.Note("dhcpNamesUs", on, $"{from}, {what}", $"The DHCP server {answer.Server} sends machines to our server ({from}) for {what}.",
                "Better none: proxyDHCP names the right file for each kind of firmware; one fixed file serves only one kind.");
        else if (answer.BootFile is not null)
            yield return Finding.Problem("bootFileElsewhere", on, $"{from}, {what}", $"The DHCP server {answer.Server} sends machines to {from} for the boot file {what}: they never get to our server.",
                "Remove the boot file and next server (options 66 and 67) from the DHCP server's scope; proxyDHCP does the rest.");
        else
            yield return Finding.Warning("nextServerElsewhere", on, from, $"The DHCP server {answer.Server} names {from} as boot server, without a file: some firmware loads our file name from there.",
                "Remove the next server (option 66) from the DHCP server's scope, or set it to our server.");
    }

    private static string Offer(DhcpAnswer a) => string.Join(", ", new[] { a.BootFile, a.NextServer is null ? null : $"next server {a.NextServer}", a.VendorOptions is null ? null : $"option 43 {a.VendorOptions}" }.Where(static t => t is not null)) is { Length: > 0 } text
        ? text : "no boot file";

    private static string Mac(DhcpAnswer a) => a.FromMac is null ? "" : $" (MAC {a.FromMac})";
}
