using System.Collections.Concurrent;
using System.ComponentModel;
using System.Net;
using System.Net.Sockets;
using ImageForge.NetDoctor.DhcpServers;
using ImageForge.NetDoctor.Echoes;
using ImageForge.NetDoctor.Findings;
using ImageForge.NetDoctor.Kernel;
using ImageForge.NetDoctor.Links;
using ImageForge.NetDoctor.Paths;
using ImageForge.NetDoctor.Queriers;
using ImageForge.NetDoctor.Sockets;

namespace ImageForge.NetDoctor;

/// <summary>All that is sent to and heard from one interface during a run.</summary>
internal sealed class Segment(LinkState link, InterfaceAddresses addresses, DoctorOrder order, EchoPlan plan, IReadOnlySet<IPAddress> ours, TimeProvider time)
{
    private readonly QuerierWatch _queriers = new(time);
    private readonly EchoWatch _echoes = new(plan.Run);
    private readonly GroupProbe _probe = new(link.Index);
    private readonly DhcpQuestions _questions = new();
    // Several tasks of one run add to it.
    private readonly ConcurrentQueue<Finding> _notChecked = [];
    private DhcpWatch? _dhcp;
    private PathFacts? _path;
    private LinkState? _after;
    private string? _broken;
    private TimeSpan _listened;
    private bool _asked;

    public EchoFacts? Echo { get; private set; }

    public IReadOnlyList<DhcpAnswer> Answers => _dhcp?.Answers ?? [];

    private DhcpWatch Dhcp => _dhcp ??= new DhcpWatch(_questions, link.Name, ours);

    public async Task ListenAsync(CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        PacketSocket socket;
        try
        {
            socket = new PacketSocket(link.Index, PacketFilter.For(67, 68, 4011, plan.Port));
        }
        catch (Win32Exception e)
        {
            _notChecked.Enqueue(Finding.NotChecked("noRawSocket", link.Name, e.Message,
                $"Queriers, DHCP servers and the way of multicast could not be looked at on {link.Name}: packets may not be read there ({e.Message}).", "Run the doctor as root, or with the capability CAP_NET_RAW."));
            return;
        }
        using var listener = new InterfaceListener(socket, link.Name, [_queriers.Take, Dhcp.Take, _echoes.Take]);
        listener.Start();
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var listen = order.Listen;
        var work = Task.WhenAll(
            _probe.RunAsync(addresses.HasV6, listen / 4, time, cancellationToken), EchoAsync(listen, ended.Token), AskDhcpAsync(listen, ended.Token), FindPathAsync(cancellationToken),
            Task.Delay(listen, time, cancellationToken));
        await work;
        await ended.CancelAsync();
        listener.Stop();
        _broken = listener.Broken;
        _listened = time.GetElapsedTime(began);
        _after = LinkState.Read(link.Name);
    }

    public IEnumerable<Finding> Judge(IReadOnlySet<string> ourAddresses)
    {
        if (_listened == TimeSpan.Zero)
            return [.. _notChecked, .. MtuCheck.Judge(link.Name, link.Mtu, link.IsLoopback, null)];
        var provoked = _probe.Failures.Count == 0;
        if (!provoked)
            _notChecked.Enqueue(Finding.NotChecked("querierNotProvoked", link.Name, _probe.Failures[0], $"On {link.Name} a querier could only be waited for, not asked: {_probe.Failures[0]}.", "Give the interface an address, and see that the firewall lets IGMP out."));
        if (_broken is not null)
            _notChecked.Enqueue(Finding.NotChecked("listeningBroke", link.Name, _broken, $"Listening on {link.Name} ended early: {_broken}.", "See why the interface went away, then run the doctor again."));
        var queriers = new QuerierFacts(
            link.Name, _listened, _queriers.Queries, provoked, BridgeState.Read(link.Name), addresses.HasV6, order.Multicast.UsesIPv6, Echo is { } echo ? EchoCheck.SnoopingTo(echo) : null);
        return
        [
            .. _notChecked, .. QuerierCheck.Judge(queriers),
            .. _asked ? DhcpCheck.Judge(link.Name, Answers, ourAddresses, order.ServedInterface == link.Name && order.Ports.Any(static p => p is { Transport: "udp", Number: 67, Expected: true }), _listened) : [],
            .. MtuCheck.Judge(link.Name, link.Mtu, link.IsLoopback, _path), .. LinkCheck.Judge(link, _after, _listened),
        ];
    }

    private async Task EchoAsync(TimeSpan listen, CancellationToken cancellationToken)
    {
        try
        {
            using var echo = new EchoSockets(plan, link.Name, link.Index, order.Multicast.Ttl);
            var listening = echo.ListenAsync(cancellationToken);
            // The switches on the way learn of the membership first.
            for (var round = 0; round < 3; round++)
            {
                await Task.Delay(listen / 5, time, cancellationToken);
                echo.Send();
            }
            await Task.Delay(listen / 5, time, cancellationToken);
            Echo = new EchoFacts(link.Name, link.Index, echo.HeardItself, echo.SendFailure, _echoes.Heard);
        }
        catch (SocketException e)
        {
            Echo = new EchoFacts(link.Name, link.Index, null, e.Message, _echoes.Heard);
        }
    }

    private async Task AskDhcpAsync(TimeSpan listen, CancellationToken cancellationToken)
    {
        try
        {
            using var asker = new DhcpAsker(_questions, link.Name, link.Index);
            var listening = asker.ListenAsync(Dhcp, cancellationToken);
            asker.Discover();
            _asked = true;
            for (var round = 0; round < 2; round++)
            {
                await Task.Delay(listen / 3, time, cancellationToken);
                if (round == 0)
                    asker.Discover();
                if (addresses.V4 is { } own)
                    asker.AskBootServers(own, Answers.Select(static a => IPAddress.Parse(a.From)).Where(a => !ours.Contains(a)));
            }
            if (addresses.V4 is null)
                _notChecked.Enqueue(Finding.NotChecked("bootServerNotAsked", link.Name, "no IPv4 address", $"Who answers on UDP 4011 could not be asked: {link.Name} has no IPv4 address.", "Give the interface an address in this network."));
            await Task.Delay(listen / 3, time, cancellationToken);
        }
        catch (SocketException e)
        {
            _notChecked.Enqueue(Finding.NotChecked("dhcpNotAsked", link.Name, e.Message, $"DHCP servers could not be asked on {link.Name}: {e.Message}.", "Run the doctor as root; if it is, look for a firewall rule that drops what leaves to UDP 67."));
        }
    }

    private async Task FindPathAsync(CancellationToken cancellationToken)
    {
        var target = order.PathTarget ?? (KernelFile.Read("/proc/self/net/route") is { } routes ? Routes.Default(routes, link.Name)?.Gateway : null);
        if (target is null || addresses.V4 is null)
            return;
        try
        {
            using var probe = new PathProbe(link.Name, target, time);
            _path = await probe.RunAsync(link.Mtu, cancellationToken);
        }
        catch (SocketException e)
        {
            _notChecked.Enqueue(Finding.NotChecked("pathMtu", link.Name, e.Message, $"The path to {target} could not be measured: {e.Message}.", "See that there is a route to it by this interface, and no firewall rule that drops ICMP."));
        }
    }
}
