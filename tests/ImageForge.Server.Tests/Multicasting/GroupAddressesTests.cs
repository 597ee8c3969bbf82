using System.Net;
using ImageForge.Multicast;
using ImageForge.Server.Multicasting;

namespace ImageForge.Server.Tests.Multicasting;

public sealed class GroupAddressesTests
{
    [Fact]
    public void No_group_and_port_is_given_twice_at_once_and_groups_are_shared_only_when_all_are_taken()
    {
        var addresses = new GroupAddresses();
        var settings = new MulticastSettings(Groups: "239.255.9.0/30", FirstPort: 5000, LastPort: 5002);
        var taken = Enumerable.Range(1, 12).Select(i => addresses.Take(settings, i)!).ToList();
        Assert.Equal(4, taken.Take(4).Select(t => t.Group).Distinct().Count());
        Assert.Equal(12, taken.Distinct().Count());
        Assert.All(taken, t => Assert.True(IPNetwork.Parse(settings.Groups!).Contains(t.Group) && t.Port is >= 5000 and <= 5002));
        Assert.Null(addresses.Take(settings, 13));
        addresses.Return(taken[7]);
        Assert.Equal(taken[7], addresses.Take(settings, 99));
    }

    [Fact]
    public void Sessions_after_each_other_get_different_groups()
    {
        var addresses = new GroupAddresses();
        var given = new List<GroupEndpoint>();
        for (var session = 1; session <= 5; session++)
        {
            given.Add(addresses.Take(new MulticastSettings(), session)!);
            addresses.Return(given[^1]);
        }
        Assert.Equal(5, given.Select(g => g.Group).Distinct().Count());
        Assert.Equal(5, given.Select(g => g.Port).Distinct().Count());
    }

    [Fact]
    public void Groups_of_IPv6_count_beyond_what_a_byte_holds()
    {
        Assert.True(GroupRange.TryParse("ff15::4946:0/112", out var range));
        Assert.Equal((65536, "ff15::4946:0", "ff15::4946:1ff"), (range.Count, range[0].ToString(), range[0x1ff].ToString()));
        Assert.True(GroupRange.TryParse("ff15::/16", out var wide));
        Assert.Equal(1L << 32, wide.Count);
        Assert.Throws<ArgumentOutOfRangeException>(() => range[65536]);
        Assert.True(GroupRange.TryParse("239.1.2.3/24", out var inside));
        Assert.Equal("239.1.2.0", inside[0].ToString());
        Assert.True(GroupRange.TryParse("239.1.2.3/32", out var one));
        Assert.Equal((1, "239.1.2.3"), (one.Count, one[0].ToString()));
    }

    /// <summary>Many sessions come and go at once.</summary>
    [Fact]
    public void Takers_at_the_same_time_never_share()
    {
        var addresses = new GroupAddresses();
        var settings = new MulticastSettings(Groups: "239.255.9.0/31", FirstPort: 5000, LastPort: 5003);
        var held = new System.Collections.Concurrent.ConcurrentDictionary<GroupEndpoint, int>();
        Parallel.For(0, 2000, i =>
        {
            if (addresses.Take(settings, i) is not { } mine)
                return;
            Assert.True(held.TryAdd(mine, i), $"{mine} is held twice");
            held.TryRemove(mine, out _);
            addresses.Return(mine);
        });
    }
}
