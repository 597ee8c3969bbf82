using System.Net;
using System.Net.Sockets;
using ImageForge.Lab;
using ImageForge.Lab.Networks;
using ImageForge.Multicast.Sockets;

namespace ImageForge.Multicast.Tests.Sockets;

/// <summary>Both sockets in namespaces of the test: one sender, two receivers on a bridge.</summary>
public sealed class SocketTests : IAsyncLifetime
{
    private const int PacketBytes = 1452;
    private MulticastRoom _room = null!;

    public async Task InitializeAsync() => _room = await MulticastRoom.CreateAsync(2);

    public async Task DisposeAsync() => await _room.DisposeAsync();

    [Theory]
    [InlineData("239.77.0.1", 44)]
    [InlineData("239.77.0.1", 1)]
    [InlineData("ff15::77:1", 44)]
    [InlineData("ff15::77:1", 1)]
    public void Every_receiver_hears_every_packet(string group, int batch)
    {
        using var sender = Sender(group, batch);
        using var first = Receiver(0, group);
        using var second = Receiver(1, group);
        Assert.Equal(batch > 1, sender.Segments);
        var sent = SendSome(sender, 200);
        foreach (var receiver in (MulticastReceiveSocket[])[first, second])
        {
            var heard = Hear(receiver);
            Assert.Equal(sent.Count, heard.Count);
            Assert.Equal(sent, heard);
            Assert.Equal(0, receiver.Drops);
        }
        Assert.Equal(0, sender.NotSent);
    }

    /// <summary>An interface that takes smaller packets only: the kernel refuses the batch, and the packets go out one by one.</summary>
    [Fact]
    public async Task A_refused_batch_goes_out_packet_by_packet()
    {
        await Command.RunAsync("ip", "-n", _room.Sender, "link", "set", "eth0", "mtu", "1400");
        using var sender = Sender("239.77.0.1", 44);
        using var receiver = Receiver(0, "239.77.0.1");
        Assert.True(sender.Segments);
        var sent = SendSome(sender, 100);
        Assert.False(sender.Segments);
        Assert.Equal(sent, Hear(receiver));
    }

    [Fact]
    public async Task A_link_that_is_down_is_counted_and_comes_back()
    {
        using var sender = Sender("239.77.0.1", 44);
        using var receiver = Receiver(0, "239.77.0.1");
        await Command.RunAsync("ip", "-n", _room.Sender, "link", "set", "eth0", "down");
        Assert.False(sender.Send(Packets(0, 10)));
        Assert.Equal(10, sender.NotSent);
        Assert.NotNull(sender.LastError);
        await Command.RunAsync("ip", "-n", _room.Sender, "link", "set", "eth0", "up");
        await Command.RunAsync("ip", "-n", _room.Sender, "route", "replace", "224.0.0.0/4", "dev", "eth0");
        var sent = SendSome(sender, 20);
        Assert.Equal(sent, Hear(receiver));
    }

    [Fact]
    public void Only_the_group_is_heard()
    {
        using var receiver = Receiver(0, "239.77.0.1");
        using var strangers = NamespaceSockets.Create(_room.Sender, SocketType.Dgram, ProtocolType.Udp);
        foreach (var to in (string[])["10.77.0.11", "239.77.0.2"])
            strangers.SendTo(new byte[PacketBytes], new IPEndPoint(IPAddress.Parse(to), 9077));
        using var other = Receiver(1, "239.77.0.2");
        strangers.SendTo(new byte[PacketBytes], new IPEndPoint(IPAddress.Parse("239.77.0.2"), 9077));
        Assert.Single(Hear(other));
        Assert.Empty(Hear(receiver));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_senders_own_machine_hears_it_only_when_asked(bool loopback)
    {
        using var sender = Sender("239.77.0.1", 44, loopback: loopback);
        using var local = NamespaceSockets.Create(_room.Sender, () => new MulticastReceiveSocket(Listening("239.77.0.1")));
        local.Timeout = TimeSpan.FromMilliseconds(300);
        var sent = SendSome(sender, 10);
        Assert.Equal(loopback ? sent : [], Hear(local));
    }

    [Theory]
    [InlineData("239.77.0.1", "ip ttl")]
    [InlineData("ff15::77:1", "ip6 hoplimit")]
    public async Task Packets_have_the_hops_that_were_asked_for(string group, string field)
    {
        await Command.RunAsync("ip", "netns", "exec", _room.Receivers[0], "nft",
            $"table netdev hops {{ chain arriving {{ type filter hook ingress device eth0 priority 0; meta l4proto udp {field} != 7 drop; }}; }}");
        using var right = Sender(group, 44, ttl: 7);
        using var wrong = Sender(group, 44, ttl: 8);
        using var receiver = Receiver(0, group);
        SendSome(wrong, 5);
        Assert.Equal(SendSome(right, 10), Hear(receiver));
    }

    [Fact]
    public async Task Packets_leave_by_the_interface_that_was_asked_for()
    {
        await Command.RunAsync("ip", "-n", _room.Sender, "link", "add", "eth1", "type", "veth", "peer", "name", "eth2");
        foreach (var name in (string[])["eth1", "eth2"])
            await Command.RunAsync("ip", "-n", _room.Sender, "link", "set", name, "up");
        var eth1 = int.Parse(await Command.RunAsync("ip", "netns", "exec", _room.Sender, "cat", "/sys/class/net/eth1/ifindex"), System.Globalization.CultureInfo.InvariantCulture);
        using var receiver = Receiver(0, "239.77.0.1");
        using var elsewhere = NamespaceSockets.Create(_room.Sender, () => new MulticastSendSocket(Sending("239.77.0.1", 44) with { InterfaceIndex = eth1, LocalAddress = IPAddress.Parse("10.77.0.1") }));
        SendSome(elsewhere, 10);
        Assert.Empty(Hear(receiver));
        Assert.Throws<LabException>(() => Receiver(0, "239.77.0.1", index: 4242));
    }

    [Fact]
    public void A_full_socket_counts_what_it_drops()
    {
        using var sender = Sender("239.77.0.1", 44);
        using var receiver = Receiver(0, "239.77.0.1", buffer: 64 << 10);
        SendSome(sender, 2000);
        Assert.InRange(Hear(receiver).Count, 1, 1000);
        Assert.True(receiver.Drops > 0);
    }

    [Fact]
    public void Without_a_packet_the_wait_ends()
    {
        using var receiver = Receiver(0, "239.77.0.1");
        receiver.Timeout = TimeSpan.FromMilliseconds(60);
        var clock = System.Diagnostics.Stopwatch.StartNew();
        Assert.Equal(0, receiver.Receive());
        Assert.InRange(clock.Elapsed.TotalSeconds, 0.05, 5);
    }

    private static SendSocketOptions Sending(string group, int batch) =>
        new(new GroupEndpoint(IPAddress.Parse(group), 9077), 0, null, 1, PacketBytes, batch);

    private static ReceiveSocketOptions Listening(string group) => new(new GroupEndpoint(IPAddress.Parse(group), 9077), 0, null, PacketBytes);

    private MulticastSendSocket Sender(string group, int batch, int ttl = 1, bool loopback = false) =>
        NamespaceSockets.Create(_room.Sender, () => new MulticastSendSocket(Sending(group, batch) with { Ttl = ttl, Loopback = loopback, InterfaceIndex = Index(_room.Sender) }));

    private MulticastReceiveSocket Receiver(int which, string group, int? index = null, int buffer = 4 << 20)
    {
        var receiver = NamespaceSockets.Create(_room.Receivers[which],
            () => new MulticastReceiveSocket(Listening(group) with { InterfaceIndex = index ?? Index(_room.Receivers[which]), BufferBytes = buffer }));
        receiver.Timeout = TimeSpan.FromMilliseconds(300);
        return receiver;
    }

    private static int Index(string ns) =>
        int.Parse(Command.RunAsync("ip", "netns", "exec", ns, "cat", "/sys/class/net/eth0/ifindex").GetAwaiter().GetResult(), System.Globalization.CultureInfo.InvariantCulture);

    private static List<string> SendSome(MulticastSendSocket sender, int count)
    {
        var sent = new List<string>();
        for (var at = 0; at < count; at += sender.Batch)
        {
            var packets = Packets(at, Math.Min(sender.Batch, count - at));
            Assert.True(sender.Send(packets), $"{sender.LastError}");
            sent.AddRange(packets.Chunk(PacketBytes).Select(Name));
        }
        return sent;
    }

    private static byte[] Packets(int seed, int count)
    {
        var packets = new byte[count * PacketBytes];
        new Random(seed).NextBytes(packets);
        return packets;
    }

    private static string Name(byte[] packet) => Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(packet).AsSpan(0, 8)) + $" {packet.Length}";

    private static List<string> Hear(MulticastReceiveSocket receiver)
    {
        var heard = new List<string>();
        for (int count; (count = receiver.Receive()) > 0;)
            for (var i = 0; i < count; i++)
                heard.Add(Name(receiver.Packet(i).ToArray()));
        return heard;
    }
}
