using ImageForge.Server.Boot;

namespace ImageForge.Server.Tests.Boot;

public sealed class TokenBucketsTests
{
    private readonly SteppedClock _clock = new();

    [Fact]
    public void Lets_a_burst_through_and_then_the_rate()
    {
        var buckets = new TokenBuckets<string>(3, 0.5, _clock);
        Assert.Equal([true, true, true, false], Enumerable.Range(0, 4).Select(_ => buckets.TryTake("a")));
        _clock.Advance(1.9);
        Assert.False(buckets.TryTake("a"));
        _clock.Advance(0.2);
        Assert.True(buckets.TryTake("a"));
        Assert.False(buckets.TryTake("a"));
    }

    [Fact]
    public void Keys_do_not_share()
    {
        var buckets = new TokenBuckets<string>(1, 0.001, _clock);
        Assert.True(buckets.TryTake("a"));
        Assert.True(buckets.TryTake("b"));
        Assert.False(buckets.TryTake("a"));
    }

    [Fact]
    public void A_flood_of_made_up_keys_does_not_free_a_busy_one()
    {
        var buckets = new TokenBuckets<int>(1, 0.0001, _clock, maxKeys: 100);
        Assert.True(buckets.TryTake(-1));
        for (var i = 0; i < 1000; i++)
        {
            _clock.Advance(0.01);
            buckets.TryTake(i);
            Assert.False(buckets.TryTake(-1));
        }
    }
}
