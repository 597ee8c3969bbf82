using ImageForge.Server.Multicasting;

namespace ImageForge.Server.Tests.Multicasting;

public sealed class BandwidthSharesTests
{
    private static SessionDemand Wanting(double cap = 10, double? rate = null) => new(cap, rate ?? cap, true);

    private static readonly SessionDemand s_silent = new(10, 0, false);

    [Fact]
    public void Sessions_that_all_want_more_share_alike() =>
        Assert.Equal([30, 30, 30], BandwidthShares.Divide(90, [Wanting(), Wanting(), Wanting()]));

    [Fact]
    public void What_a_slow_room_cannot_use_goes_to_the_others()
    {
        var shares = BandwidthShares.Divide(90, [Wanting(30, 4), Wanting(30), Wanting(30)]);
        Assert.Equal([6, 42, 42], shares);
    }

    [Fact]
    public void A_room_that_is_held_back_may_become_faster_again()
    {
        // Its cap is 1.5 times what it used; once it uses that, it wants more.
        Assert.Equal([50, 50], BandwidthShares.Divide(100, [new SessionDemand(6, 6, true), Wanting(94)]));
    }

    [Fact]
    public void A_session_that_has_just_begun_counts_in_full() => Assert.Equal([45, 45], BandwidthShares.Divide(90, [new SessionDemand(null, 0, true), Wanting(90)]));

    [Fact]
    public void A_silent_session_keeps_a_little_and_the_others_the_rest() => Assert.Equal([4.5, 85.5], BandwidthShares.Divide(90, [s_silent, Wanting()]));

    [Fact]
    public void One_alone_has_everything_even_when_it_is_silent() => Assert.Equal([90], BandwidthShares.Divide(90, [s_silent]));

    [Fact]
    public void Nobody_shares_nothing() => Assert.Empty(BandwidthShares.Divide(90, []));

    [Fact]
    public void Whatever_they_want_the_sum_is_the_total_and_nobody_is_starved()
    {
        const int seed = 7;
        var random = new Random(seed);
        for (var round = 0; round < 1000; round++)
        {
            var sessions = Enumerable.Range(0, random.Next(1, 12)).Select(_ => new SessionDemand(random.Next(4) == 0 ? null : random.NextDouble() * 100, random.NextDouble() * 120, random.Next(3) > 0)).ToList();
            var shares = BandwidthShares.Divide(100, sessions);
            Assert.Equal(100, shares.Sum(), 6);
            Assert.All(shares, s => Assert.True(s >= 100.0 / sessions.Count / 10 - 1e-9, $"{s} of {sessions.Count}"));
        }
    }
}
