using System.Globalization;
using System.Net;
using ImageForge.Contracts;
using ImageForge.NetBoot.Dhcp;
using ImageForge.NetBoot.Pxe;
using ImageForge.NetBoot.Tftp;
using ImageForge.Server.Boot;

namespace ImageForge.Server.BootServices;

/// <summary>
/// Takes down what the boot services see: boot timeline, the address book that ties addresses to MACs, and log lines for what an
/// administrator must repair. Called on the receive loops: nothing here waits.
/// </summary>
internal sealed partial class BootTraffic(
    BootTimeline timeline, DhcpAddressBook addresses, INeighbourTable neighbours, TimeProvider time, ILogger<BootTraffic> logger)
{
    private readonly TokenBuckets<(MacAddress Mac, string Text)> _sayings = new(1, 1 / 60.0, time);
    private long _otherDhcpSeenAt;

    /// <summary>When a machine was last heard to talk to another DHCP server on our interface; null: never.</summary>
    public DateTimeOffset? OtherDhcpSeenAt => Interlocked.Read(ref _otherDhcpSeenAt) is > 0 and var at ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null;

    /// <param name="on">The interface the exchange was seen on.</param>
    /// <param name="leasesAreOurs">The full DHCP server saw it, so an address is known only by a lease of ours.</param>
    public void Record(DhcpExchange exchange, BootInterface on, bool leasesAreOurs)
    {
        // The network doctor asks as a machine that does not exist.
        if (exchange.Mac is not { IsUsable: true } mac || mac == NetDoctor.NetworkDoctor.TestMac)
            return;
        if (exchange.Kind == DhcpExchangeKind.Observed)
            Interlocked.Exchange(ref _otherDhcpSeenAt, time.GetUtcNow().ToUnixTimeMilliseconds());
        if (exchange.Address is { } address)
        {
            // A tie is worth a boot token, and anyone can send us DHCP with any MAC and address, also through a router. An address of
            // the served network is no use to a sender elsewhere: our answers do not reach him there.
            if (ShowsAnAddressTaken(exchange, leasesAreOurs) && on.Contains(address))
                addresses.Record(mac, address);
            else if (exchange.Kind is DhcpExchangeKind.Released or DhcpExchangeKind.Declined)
                addresses.Forget(address);
        }
        if (exchange.Reason == DhcpIgnoreReason.ResponderFault)
            LogFault(logger, mac, exchange.Detail);
        if (exchange.Client is { } client && Step(exchange, client) is { } text)
            timeline.Record(mac, "dhcp", text);
        // One line a minute for one machine and one reason, or a machine that keeps trying fills the log.
        if (exchange.Detail is { } detail && exchange.Kind != DhcpExchangeKind.Observed && _sayings.TryTake((mac, detail)))
            LogDetail(logger, mac, detail);
    }

    // With leases of our own, only the ACK to a REQUEST is one: an INFORM and a REQUEST to another server are claims of the sender.
    private static bool ShowsAnAddressTaken(DhcpExchange exchange, bool leasesAreOurs) => leasesAreOurs
        ? exchange is { Kind: DhcpExchangeKind.Acknowledged, Request: DhcpMessageType.Request }
        : exchange.Kind is DhcpExchangeKind.Acknowledged or DhcpExchangeKind.Observed;

    public void Record(TftpTransferReport report) =>
        // Looking up the neighbour reads a kernel file, which the transfer loop must not wait for.
        ThreadPool.QueueUserWorkItem(static state => state.Self.Take(state.Report), (Self: this, Report: report), preferLocal: false);

    private void Take(TftpTransferReport report)
    {
        var name = Hosts.DeviceText.Limit(report.Path) ?? "";
        if (report.Outcome is not (TftpOutcome.Completed or TftpOutcome.AbortedByClient))
            LogTransfer(logger, report.Client.Address, name, report.Outcome, report.Detail);
        if (MacOf(report.Client.Address) is not { } mac)
            return;
        var text = report.Outcome switch
        {
            TftpOutcome.Completed => $"{name} sent",
            TftpOutcome.AbortedByClient => $"{name}: the machine stopped the transfer (usual when it only asks the size)",
            TftpOutcome.TimedOut => string.Create(CultureInfo.InvariantCulture, $"{name}: the machine fell silent after {report.Bytes} of {report.Length} bytes"),
            _ => $"{name}: {report.Detail ?? report.Outcome.ToString()}",
        };
        timeline.Record(mac, "tftp", text, report.Bytes, (long)report.Elapsed.TotalMilliseconds);
    }

    private MacAddress? MacOf(IPAddress address) => neighbours.Find(address) ?? addresses.Find(address);

    private static string? Step(DhcpExchange exchange, BootClient client)
    {
        var who = client switch
        {
            { IsIpxe: true, IpxeVersion: { } version } => $"iPXE (says {version})",
            { IsIpxe: true } => "iPXE",
            { Architecture: { } architecture } => architecture.Describe(),
            _ => "a machine that does not say its architecture",
        };
        return exchange.Kind switch
        {
            DhcpExchangeKind.Offered when exchange.BootFile is not null => $"{who} was offered {exchange.BootFile}",
            DhcpExchangeKind.Acknowledged when exchange.BootFile is not null => $"{who} took {exchange.BootFile}",
            DhcpExchangeKind.Offered or DhcpExchangeKind.Acknowledged => $"{who} got the address {exchange.Address} and no boot file: {exchange.Detail ?? "it asked for none"}",
            DhcpExchangeKind.Refused => $"{who} was refused {exchange.Address}: {exchange.Detail}",
            DhcpExchangeKind.Ignored when exchange.Detail is not null => $"{who} got no answer: {exchange.Detail}",
            _ => null,
        };
    }
}
