using System.Net;
using ImageForge.Server.Access;

namespace ImageForge.Server.Tests.Access;

public sealed class AttemptLimiterTests
{
    [Fact]
    public void A_flood_of_keys_does_not_grow_the_table_without_bound_and_forgets_the_oldest_first()
    {
        var clock = new ManualClock();
        var limiter = new AttemptLimiter(clock);
        for (var i = 0; i < 3; i++)
            Assert.True(limiter.TryAttempt("victim", 3));
        Assert.False(limiter.TryAttempt("victim", 3));
        for (var i = 0; i < 9000; i++)
            limiter.TryAttempt($"flood {i}", 3);
        Assert.False(limiter.TryAttempt("victim", 3));
    }

    [Fact]
    public void All_addresses_of_one_ipv6_network_are_one_source() =>
        Assert.Equal(AttemptLimiter.Source(IPAddress.Parse("2001:db8:1:2::1")), AttemptLimiter.Source(IPAddress.Parse("2001:db8:1:2:ffff::9")));

    [Fact]
    public void An_ipv4_address_is_the_same_source_however_the_socket_writes_it() =>
        Assert.Equal(AttemptLimiter.Source(IPAddress.Parse("10.0.0.7")), AttemptLimiter.Source(IPAddress.Parse("::ffff:10.0.0.7")));
}
