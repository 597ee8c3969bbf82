using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using ImageForge.Contracts;
using ImageForge.NetDoctor.DhcpServers;
using ImageForge.NetDoctor.Echoes;
using ImageForge.NetDoctor.Findings;
using ImageForge.NetDoctor.Firewall;
using ImageForge.NetDoctor.Kernel;
using ImageForge.NetDoctor.Links;
using ImageForge.NetDoctor.Paths;
using ImageForge.NetDoctor.Ports;

namespace ImageForge.NetDoctor;

/// <summary>Sends and listens on the chosen interfaces for a while and judges what it saw. Changes nothing, takes no lease.</summary>
public static class NetworkDoctor
{
    /// <summary>As whom the doctor asks DHCP servers. Locally administered, and the same for ever: a server that reserves what it offers reserves one address for all runs.</summary>
    public static MacAddress TestMac { get; } = new([0x02, 0x49, 0x46, 0x44, 0x6F, 0x63]);

    /// <summary>The interface of the default route; null: there is none.</summary>
    public static string? DefaultInterface() => KernelFile.Read("/proc/self/net/route") is { } text ? Routes.Default(text)?.Interface : null;

    /// <returns>Always a report: what could not be looked at is a finding, too.</returns>
    public static async Task<DoctorReport> RunAsync(DoctorOrder order, TimeProvider time, CancellationToken cancellationToken)
    {
        var started = time.GetUtcNow();
        var findings = new List<Finding>();
        var all = NetworkInterface.GetAllNetworkInterfaces();
        var own = all.SelectMany(static i => i.GetIPProperties().UnicastAddresses).Select(static a => a.Address).Where(static a => a.AddressFamily == AddressFamily.InterNetwork).ToList();
        IReadOnlySet<IPAddress> ours = own.Concat(order.ServerAddresses).ToHashSet();

        var links = new List<(LinkState Link, InterfaceAddresses Addresses)>();
        foreach (var name in order.Interfaces.Distinct())
        {
            if (LinkState.Read(name) is not { } link)
            {
                findings.Add(LinkCheck.NoSuchInterface(name, all.Select(static i => i.Name)));
                continue;
            }
            findings.AddRange(LinkCheck.Judge(link));
            links.Add((link, InterfaceAddresses.Of(all.FirstOrDefault(i => i.Name == name))));
        }

        var plan = new EchoPlan();
        var firewall = RuleReader.ReadAsync(cancellationToken);
        var segments = links.Where(static l => l.Link is { Up: true, Carrier: not false, IsLoopback: false }).Select(l => new Segment(l.Link, l.Addresses, order, plan, ours, time)).ToList();
        var machine = MachinePorts.LookAsync(order, links.Select(static l => l.Addresses.V4).FirstOrDefault(static a => a is not null), time, cancellationToken);
        await Task.WhenAll(segments.Select(s => s.ListenAsync(cancellationToken)));

        findings.AddRange(EchoCheck.Judge([.. segments.Where(static s => s.Echo is not null).Select(static s => s.Echo!)], order.Multicast.Ttl));
        foreach (var segment in segments)
            findings.AddRange(segment.Judge(ours.Select(static a => a.ToString()).ToHashSet()));
        foreach (var (link, addresses) in links.Where(static l => l.Link.Up))
        {
            findings.AddRange(KernelCheck.Judge(KernelFacts.Read(link.Name)));
            findings.AddRange(FirewallCheck.Judge(link.Name, await firewall, FirewallCheck.Packets(link.Name, order.Ports, order.Multicast, addresses.HasV6)));
        }
        findings.AddRange(await machine);
        var ended = time.GetUtcNow();
        return new DoctorReport(
            started, ended, Math.Round((ended - started).TotalSeconds, 1), order.Interfaces,
            [.. findings.OrderByDescending(static f => f.Severity)], [.. segments.SelectMany(static s => s.Answers)]);
    }
}
