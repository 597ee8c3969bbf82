using System.Net;
using System.Runtime.InteropServices;
using ImageForge.Contracts;
using ImageForge.Server.Boot;

namespace ImageForge.Server.Tests.Boot;

public sealed class NeighbourTableTests : IDisposable
{
    private readonly string _file = Path.GetTempFileName();

    public void Dispose() => File.Delete(_file);

    private MacAddress? Find(string address, string table)
    {
        File.WriteAllText(_file, table);
        return new NeighbourTable(_file).Find(IPAddress.Parse(address));
    }

    private const string Table = """
        IP address       HW type     Flags       HW address            Mask     Device
        10.0.0.12        0x1         0x2         52:54:00:00:00:0c     *        eth0
        10.0.0.1         0x1         0x2         52:54:00:00:00:01     *        eth0
        10.0.0.3         0x1         0x0         00:00:00:00:00:00     *        eth0
        10.0.0.4         0x1         0x6         52:54:00:00:00:04     *        eth0
        10.0.0.5         0x1         0x0         52:54:00:00:00:05     *        eth0
        """;

    [Fact]
    public void Finds_a_complete_entry_and_not_one_with_a_longer_address()
    {
        Assert.Equal(MacAddress.Parse("52:54:00:00:00:01"), Find("10.0.0.1", Table));
        Assert.Equal(MacAddress.Parse("52:54:00:00:00:0c"), Find("10.0.0.12", Table));
        Assert.Equal(MacAddress.Parse("52:54:00:00:00:04"), Find("10.0.0.4", Table));
    }

    [Theory]
    [InlineData("10.0.0.2")]
    [InlineData("10.0.0.3")]
    [InlineData("10.0.0.5")]
    public void An_absent_or_incomplete_entry_is_none(string address) => Assert.Null(Find(address, Table));

    [Fact]
    public void A_table_that_cannot_be_read_is_empty() =>
        Assert.Null(new NeighbourTable("/nonexistent/arp").Find(IPAddress.Parse("10.0.0.1")));

    [Fact]
    public void The_kernel_of_this_machine_answers_for_ipv6_too() =>
        Assert.Null(new NeighbourTable().Find(IPAddress.Parse("2001:db8::1")));

    [Fact]
    public void Finds_an_ipv6_neighbour_in_a_netlink_message()
    {
        var wanted = IPAddress.Parse("fe80::1").GetAddressBytes();
        Assert.True(NetlinkNeighbours.Read(Message(wanted, [0x52, 0x54, 0, 0, 0, 9], state: 2), wanted, out var mac));
        Assert.Equal(MacAddress.Parse("52:54:00:00:00:09"), mac);
        // NUD_INCOMPLETE: nobody answered yet.
        Assert.False(NetlinkNeighbours.Read(Message(wanted, [0x52, 0x54, 0, 0, 0, 9], state: 1), wanted, out mac));
        Assert.Null(mac);
        Assert.False(NetlinkNeighbours.Read(Message(wanted, [0x52, 0x54, 0, 0, 0, 9], state: 2), IPAddress.Parse("fe80::2").GetAddressBytes(), out mac));
        Assert.Null(mac);
    }

    [Fact]
    public void Survives_any_bytes_from_netlink()
    {
        const int seed = 7411;
        var random = new Random(seed);
        var wanted = IPAddress.Parse("fe80::1").GetAddressBytes();
        var good = Message(wanted, [0x52, 0x54, 0, 0, 0, 9], 2);
        for (var i = 0; i < 100_000; i++)
        {
            var bytes = random.Next(2) == 0 ? good.ToArray() : new byte[random.Next(200)];
            if (bytes.Length != good.Length)
                random.NextBytes(bytes);
            else
                bytes[random.Next(bytes.Length)] ^= (byte)random.Next(256);
            try
            {
                NetlinkNeighbours.Read(bytes, wanted, out _);
            }
            catch (Exception e)
            {
                Assert.Fail($"seed {seed}, {Convert.ToHexString(bytes)}: {e}");
            }
        }
    }

    private static byte[] Message(byte[] address, byte[] mac, ushort state)
    {
        var bytes = new byte[28 + 20 + 12];
        MemoryMarshal.Write(bytes, bytes.Length);
        MemoryMarshal.Write(bytes.AsSpan(4), (ushort)28);
        MemoryMarshal.Write(bytes.AsSpan(24), state);
        MemoryMarshal.Write(bytes.AsSpan(28), (ushort)20);
        MemoryMarshal.Write(bytes.AsSpan(30), (ushort)1);
        address.CopyTo(bytes, 32);
        MemoryMarshal.Write(bytes.AsSpan(48), (ushort)10);
        MemoryMarshal.Write(bytes.AsSpan(50), (ushort)2);
        mac.CopyTo(bytes, 52);
        return bytes;
    }
}
