using ImageForge.Multicast.Blocks;
using ImageForge.Multicast.Packets;

namespace ImageForge.Multicast.Tests.Packets;

public sealed class PacketHeaderTests
{
    private const int F = 1408;
    private const uint Tag = 0xA1B2C3D4;

    [Fact]
    public void Has_the_bytes_that_the_readme_says()
    {
        var packet = new byte[PacketHeader.Overhead + F];
        new PacketHeader(PacketKind.Parity, Tag, 0x01020304, 0x11121314, 1_000_000, 3, 63).Write(packet);
        Assert.Equal("494601" + "02" + "A1B2C3D4" + "0000000001020304" + "11121314" + "000F4240" + "0003" + "003F", Convert.ToHexString(packet.AsSpan(0, PacketHeader.Size)));
        Assert.Equal(1452, packet.Length);
    }

    [Theory]
    [InlineData(PacketKind.Fragment, 1, 1, 0, 0)]
    [InlineData(PacketKind.Fragment, 0xFFFFFFFE, BlockShape.LargestBlock, 65, 190)]
    [InlineData(PacketKind.Parity, 7, 1_000_000, 3, 63)]
    [InlineData(PacketKind.Announcement, 7, 0, 0, 0)]
    public void Is_read_as_it_was_written(PacketKind kind, ulong sequence, int length, int group, int index)
    {
        var packet = new byte[PacketHeader.Overhead + F];
        var header = new PacketHeader(kind, Tag, sequence, 9, length, group, index);
        header.Write(packet);
        Assert.True(PacketHeader.TryRead(packet, Tag, F, out var read));
        Assert.Equal(header, read);
    }

    [Theory]
    [InlineData(0, 0x48, "magic")]
    [InlineData(2, 2, "version")]
    [InlineData(3, 0, "kind")]
    [InlineData(3, 4, "kind")]
    [InlineData(7, 0xD5, "tag of the epoch")]
    [InlineData(8, 1, "sequence beyond an epoch")]
    [InlineData(20, 2, "block of 32 MiB")]
    [InlineData(25, 4, "group behind the last")]
    [InlineData(27, 177, "fragment behind the last of its group")]
    public void One_wrong_field_makes_it_a_strangers(int at, byte value, string _)
    {
        var packet = new byte[PacketHeader.Overhead + F];
        new PacketHeader(PacketKind.Fragment, Tag, 5, 9, 1_000_000, 3, 176).Write(packet);
        Assert.True(PacketHeader.TryRead(packet, Tag, F, out var _));
        packet[at] = value;
        Assert.False(PacketHeader.TryRead(packet, Tag, F, out var _));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(27)]
    [InlineData(PacketHeader.Overhead + F - 1)]
    [InlineData(PacketHeader.Overhead + F + 1)]
    public void Another_length_makes_it_a_strangers(int length)
    {
        var packet = new byte[Math.Max(length, PacketHeader.Size)];
        new PacketHeader(PacketKind.Announcement, Tag, 5, 9, 0, 0, 0).Write(packet);
        Assert.False(PacketHeader.TryRead(packet.AsSpan(0, length), Tag, F, out var _));
    }

    [Fact]
    public void Sequence_zero_and_the_last_one_are_nobodys()
    {
        var packet = new byte[PacketHeader.Overhead + F];
        foreach (var sequence in (ulong[])[0, uint.MaxValue, ulong.MaxValue])
        {
            new PacketHeader(PacketKind.Announcement, Tag, sequence, 9, 0, 0, 0).Write(packet);
            Assert.False(PacketHeader.TryRead(packet, Tag, F, out var _));
        }
    }
}
