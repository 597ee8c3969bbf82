using ImageForge.Contracts;
using ImageForge.Server.Boot;
using ImageForge.Server.Hosts;

namespace ImageForge.Server.Tests.Boot;

public sealed class SightingQueueTests
{
    private readonly SteppedClock _clock = new();

    private SightingQueue Queue(int burst = 5) => new(new BootOptions { DiscoveryBurstPerSource = burst, DiscoveriesPerSecondPerSource = 1 }, _clock);

    private static HostSighting Sighting(int number, string source = "10.0.0.1") =>
        new(new MacAddress([0x52, 0x54, 0, (byte)(number >> 16), (byte)(number >> 8), (byte)number]), null, null, null, null, null, null, null, source);

    [Fact]
    public async Task One_source_cannot_announce_many_unknown_machines()
    {
        var queue = Queue();
        for (var i = 0; i < 100; i++)
            queue.Offer(Sighting(i), known: false);
        queue.Offer(Sighting(1000, "10.0.0.2"), known: false);
        Assert.Equal(95, queue.Limited);
        Assert.Equal(6, (await queue.TakeAsync(1000, CancellationToken.None)).Count);
    }

    [Fact]
    public async Task Known_machines_are_not_limited_but_a_repetition_is_no_news()
    {
        var queue = Queue();
        for (var round = 0; round < 3; round++)
            for (var i = 0; i < 100; i++)
                queue.Offer(Sighting(i), known: true);
        Assert.Equal(100, (await queue.TakeAsync(1000, CancellationToken.None)).Count);
        _clock.Advance(31);
        queue.Offer(Sighting(1), known: true);
        Assert.Single(await queue.TakeAsync(1000, CancellationToken.None));
    }

    [Fact]
    public void A_flood_is_dropped_and_counted_instead_of_waited_for()
    {
        var queue = Queue();
        for (var i = 0; i < SightingQueue.Capacity + 500; i++)
            queue.Offer(Sighting(i), known: true);
        Assert.Equal(500, queue.Dropped);
    }
}
