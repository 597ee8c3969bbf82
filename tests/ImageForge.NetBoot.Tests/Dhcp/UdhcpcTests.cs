using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using ImageForge.NetBoot.Dhcp;
using ImageForge.NetBoot.ProxyDhcp;
using ImageForge.NetBoot.Tests.Lab;

namespace ImageForge.NetBoot.Tests.Dhcp;

/// <summary>The full DHCP server on a real interface in a namespace, with busybox's DHCP client at the other end of the cable.</summary>
public sealed partial class UdhcpcTests : IAsyncLifetime
{
    private readonly ConcurrentQueue<DhcpExchange> _exchanges = new();
    private readonly string _script = Path.Combine(Path.GetTempPath(), $"if-nb-{Environment.ProcessId}-{Guid.CreateVersion7():n}.sh");
    private NetworkNamespace _net = null!;
    private DhcpListener _listener = null!;

    public async Task InitializeAsync()
    {
        // udhcpc hands what it learnt to a script.
        await File.WriteAllTextAsync(_script, """
            #!/bin/sh
            echo "event=$1 ip=$ip mask=$subnet router=$router dns=$dns lease=$lease server=$serverid siaddr=$siaddr boot=$boot_file"
            [ "$1" = bound ] && ip addr add "$ip/24" dev "$interface"
            exit 0
            """);
        File.SetUnixFileMode(_script, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        if (!Environment.IsPrivilegedProcess)
            return;
        _net = await NetworkNamespace.CreateAsync();
        var server = new DhcpServer(
            new DhcpServerOptions(IPAddress.Parse("10.77.0.100"), IPAddress.Parse("10.77.0.101"), IPAddress.Parse("255.255.255.0"))
            {
                Gateway = IPAddress.Parse("10.77.0.1"),
                Dns = [IPAddress.Parse("10.77.0.1")],
                LeaseTime = TimeSpan.FromSeconds(600),
            },
            new MemoryLeaseStore(), new BootPolicy(_ => new BootFile("snponly.efi")), TimeProvider.System);
        _listener = new DhcpListener(new DhcpListenerOptions("eth0", IPAddress.Parse("10.77.0.1"), 67), server, _exchanges.Enqueue);
        _net.Inside(_listener.Start);
    }

    private async Task<string> UdhcpcAsync(params string[] more)
    {
        var result = await _net.ClientAsync(30, "busybox", ["udhcpc", "-i", "eth0", "-n", "-q", "-f", "-t", "5", "-T", "1", "-s", _script, .. more]);
        return result.Output;
    }

    [NeedsRootFact("ip", "busybox")]
    public async Task A_client_is_bound_with_everything_and_gets_the_same_address_again()
    {
        var output = await UdhcpcAsync();

        var bound = Bound().Match(output);
        Assert.True(bound.Success, output);
        Assert.Contains("mask=255.255.255.0 router=10.77.0.1 dns=10.77.0.1 lease=600 server=10.77.0.1", output, StringComparison.Ordinal);
        Assert.Equal([DhcpExchangeKind.Offered, DhcpExchangeKind.Acknowledged], _exchanges.Select(e => e.Kind));
        Assert.All(_exchanges, e => Assert.Equal(bound.Groups[1].Value, e.Address?.ToString()));
        Assert.Equal(1, _listener.Counters.Count(DhcpExchangeKind.Acknowledged));

        Assert.Equal(bound.Groups[1].Value, Bound().Match(await UdhcpcAsync()).Groups[1].Value);
    }

    [NeedsRootFact("ip", "busybox")]
    public async Task A_wish_for_an_address_of_the_pool_is_granted() =>
        Assert.Contains("event=bound ip=10.77.0.101", await UdhcpcAsync("-r", "10.77.0.101"), StringComparison.Ordinal);

    [NeedsRootFact("ip", "busybox")]
    public async Task A_lease_is_given_back_on_release()
    {
        // SIGUSR2 makes udhcpc release, once the script has put the address on the interface.
        var script = $"busybox udhcpc -i eth0 -f -s {_script} & client=$!; for i in 1 2 3 4 5 6 7 8 9 10; do sleep 1; ip addr show eth0 | grep -q 10.77.0.10 && break; done; kill -USR2 $client; sleep 1; kill $client; wait";
        var output = (await _net.ClientAsync(30, "sh", "-c", script)).Output;
        for (var i = 0; i < 300 && !_exchanges.Any(e => e.Kind == DhcpExchangeKind.Released); i++)
            await Task.Delay(10);
        Assert.True(_exchanges.Any(e => e.Kind == DhcpExchangeKind.Released), output + string.Join('\n', _exchanges));
    }

    [NeedsRootFact("ip", "busybox")]
    public async Task A_boot_client_gets_its_boot_file_with_the_address()
    {
        // Vendor class and architecture as a UEFI machine sends them (option 93 = 0x5d).
        var output = await UdhcpcAsync("-V", "PXEClient:Arch:00007:UNDI:003016", "-x", "0x5d:0007", "-O", "bootfile", "-O", "tftp");
        Assert.Contains("siaddr=10.77.0.1 boot=snponly.efi", output, StringComparison.Ordinal);
        Assert.Contains(_exchanges, e => e is { Kind: DhcpExchangeKind.Acknowledged, BootFile: "snponly.efi" });
    }

    [NeedsRootFact("ip", "busybox")]
    public async Task A_third_machine_finds_the_pool_of_two_exhausted()
    {
        foreach (var (mac, expected) in new[] { ("52:54:00:00:00:01", true), ("52:54:00:00:00:02", true), ("52:54:00:00:00:03", false) })
        {
            await Command.MustAsync("ip", "-n", _net.Clients, "addr", "flush", "dev", "eth0");
            await Command.MustAsync("ip", "-n", _net.Clients, "link", "set", "eth0", "address", mac);
            Assert.Equal(expected, Bound().IsMatch(await UdhcpcAsync()));
        }
        Assert.True(_listener.Counters.Count(DhcpIgnoreReason.PoolExhausted) > 0);
    }

    [NeedsRootFact("ip", "busybox")]
    public async Task Damaged_packets_on_the_real_port_are_counted_and_the_next_client_is_served()
    {
        const int packets = 2000;
        await Command.MustAsync("ip", "-n", _net.Clients, "addr", "add", "10.77.0.60/24", "dev", "eth0");
        void Pelt(string address)
        {
            var random = new Random(5);
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            for (var i = 0; i < packets; i++)
            {
                var bytes = new byte[random.Next(1, 700)];
                random.NextBytes(bytes);
                socket.SendTo(bytes, new IPEndPoint(IPAddress.Parse(address), 67));
            }
        }
        _net.InsideClients(() => Pelt("10.77.0.1"));
        // These arrive on "lo" and not on eth0: none of them may be looked at. (Sent to our own 10.77.0.1 they would not show that:
        // the kernel says that a packet to one of its addresses came in on the interface that has the address.)
        _net.Inside(() => Pelt("127.0.0.1"));
        for (var i = 0; i < 500 && _listener.Counters.Received < packets; i++)
            await Task.Delay(10);
        // The kernel may drop some of a burst; it never adds any.
        Assert.InRange(_listener.Counters.Received, packets / 4, packets);
        Assert.Equal(_listener.Counters.Received, _listener.Counters.Ignored.Values.Sum());
        await Command.MustAsync("ip", "-n", _net.Clients, "addr", "flush", "dev", "eth0");

        Assert.Matches(Bound(), await UdhcpcAsync());
        Assert.False(_listener.Completion.IsCompleted);
    }

    [GeneratedRegex("event=bound ip=(\\S+)")]
    private static partial Regex Bound();

    public async Task DisposeAsync()
    {
        File.Delete(_script);
        if (_net is null)
            return;
        await _listener.DisposeAsync();
        Assert.True(_listener.Completion.IsCompleted);
        await _net.DisposeAsync();
    }
}
