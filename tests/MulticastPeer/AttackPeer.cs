using System.Buffers.Binary;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace ImageForge.MulticastPeer;

/// <summary>
/// A machine on the same network without the key: listens to the session and sends what it hears again, cut short, made longer and
/// changed, and makes up packets under the session's tag, until its standard input closes. Says how many it sent.
/// </summary>
internal sealed class AttackPeer(PeerOptions options)
{
    public void Run()
    {
        var group = options.Address("group");
        using var ear = new Socket(group.AddressFamily, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 20, ReceiveBufferSize = 1 << 20 };
        ear.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        ear.Bind(group);
        using var mouth = new Socket(group.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        if (group.AddressFamily == AddressFamily.InterNetwork)
        {
            ear.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.AddMembership, new MulticastOption(group.Address, PeerOptions.InterfaceIndex));
        }
        else
        {
            ear.SetSocketOption(SocketOptionLevel.IPv6, SocketOptionName.AddMembership, new IPv6MulticastOption(group.Address, PeerOptions.InterfaceIndex));
            mouth.SetSocketOption(SocketOptionLevel.IPv6, SocketOptionName.MulticastInterface, PeerOptions.InterfaceIndex);
        }
        // Else it would answer itself.
        mouth.MulticastLoopback = false;
        var done = Task.Run(() => Console.In.Read());
        var random = new Random(7);
        var packet = new byte[4096];
        var rate = options.Number("rate", 50e6) / 8;
        var (sent, bytes) = (0L, 0L);
        var clock = Stopwatch.StartNew();
        Console.WriteLine("attacking");
        while (!done.IsCompleted)
        {
            int length;
            try
            {
                length = ear.Receive(packet);
            }
            catch (SocketException)
            {
                continue;
            }
            if (length < 100)
                continue;
            for (var i = 0; i < 5; i++)
            {
                var evil = packet.AsSpan(0, length).ToArray();
                switch (random.Next(6))
                {
                    case 0:
                        break;
                    case 1:
                        evil = evil[..random.Next(length)];
                        break;
                    case 2:
                        Array.Resize(ref evil, length + random.Next(1, 20));
                        break;
                    case 3:
                        evil[random.Next(length)] ^= (byte)(1 << random.Next(8));
                        break;
                    case 4:
                        random.NextBytes(evil.AsSpan(8));
                        break;
                    default:
                        // A header that is right in all but its sequence, which runs ahead of the stream's, and any content.
                        BinaryPrimitives.WriteUInt64BigEndian(evil.AsSpan(8), BinaryPrimitives.ReadUInt64BigEndian(evil.AsSpan(8)) + (ulong)random.Next(100, 10_000));
                        random.NextBytes(evil.AsSpan(28));
                        break;
                }
                mouth.SendTo(evil, group);
                sent++;
                bytes += evil.Length;
            }
            var early = (bytes / rate) - clock.Elapsed.TotalSeconds;
            if (early > 0.002)
                Thread.Sleep(TimeSpan.FromSeconds(early));
        }
        Console.WriteLine($"attacked {sent}");
    }
}
