using System.Net;
using ImageForge.Contracts;
using ImageForge.NetBoot.Dhcp;
using ImageForge.NetBoot.Tests.Lab;

namespace ImageForge.NetBoot.Tests.Dhcp;

public sealed class AddressPoolTests
{
    private static readonly IPAddress First = IPAddress.Parse("10.77.0.10"), Last = IPAddress.Parse("10.77.0.13");
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1), Minute = TimeSpan.FromMinutes(1);
    private readonly HandClock _clock = new();
    private readonly MemoryLeaseStore _store = new();

    private AddressPool Pool(params IPAddress[] reserved) => new(First, Last, reserved, _store, _clock);
    private static MacAddress Mac(int n) => new([0x52, 0x54, 0, 0, (byte)(n >> 8), (byte)n]);

    [Fact]
    public void Gives_every_address_once_and_then_none()
    {
        var pool = Pool();
        var given = Enumerable.Range(1, 4).Select(n => pool.Offer(Mac(n), null, Minute)).ToList();

        Assert.Equal(4, given.Distinct().Count());
        Assert.All(given, a => Assert.True(pool.Contains(a!)));
        Assert.Null(pool.Offer(Mac(5), null, Minute));
    }

    [Fact]
    public void Never_gives_the_servers_own_address()
    {
        var pool = Pool(IPAddress.Parse("10.77.0.11"));
        var given = Enumerable.Range(1, 4).Select(n => pool.Offer(Mac(n), IPAddress.Parse("10.77.0.11"), Minute)).ToList();

        Assert.DoesNotContain(IPAddress.Parse("10.77.0.11"), given);
        Assert.Null(given[3]);
    }

    [Fact]
    public void A_wish_is_granted_when_free_and_not_when_taken()
    {
        var pool = Pool();
        Assert.Equal(Last, pool.Offer(Mac(1), Last, Minute));
        Assert.NotEqual(Last, pool.Offer(Mac(2), Last, Minute));
        Assert.True(pool.Contains(pool.Offer(Mac(3), IPAddress.Parse("192.168.1.1"), Minute)!));
    }

    [Fact]
    public void A_mac_keeps_its_address_after_its_lease_ran_out()
    {
        var pool = Pool();
        var address = pool.Offer(Mac(1), Last, Minute)!;
        Assert.True(pool.TryBind(Mac(1), address, Hour));
        _clock.Advance(10 * Hour);
        // Three others fill the rest of the pool and still leave it alone.
        foreach (var n in new[] { 2, 3, 4 })
            Assert.NotEqual(address, pool.Offer(Mac(n), null, Minute));

        Assert.Equal(address, pool.Offer(Mac(1), First, Minute));
    }

    [Fact]
    public void An_expired_address_is_reused_only_when_no_fresh_one_is_left_the_oldest_first()
    {
        var pool = Pool();
        foreach (var n in new[] { 1, 2, 3, 4 })
        {
            pool.TryBind(Mac(n), pool.Offer(Mac(n), null, Minute)!, n * Hour);
        }
        var oldest = pool.Offer(Mac(1), null, Minute);
        _clock.Advance(3.5 * Hour);

        Assert.Equal(oldest, pool.Offer(Mac(9), null, Minute));
    }

    [Fact]
    public void An_offer_that_was_not_taken_expires()
    {
        var pool = Pool();
        foreach (var n in new[] { 1, 2, 3, 4 })
            pool.Offer(Mac(n), null, Minute);
        Assert.Null(pool.Offer(Mac(5), null, Minute));
        _clock.Advance(2 * Minute);
        Assert.NotNull(pool.Offer(Mac(5), null, Minute));
    }

    [Fact]
    public void A_stranger_can_neither_bind_release_nor_decline_an_address()
    {
        var pool = Pool();
        pool.TryBind(Mac(1), First, Hour);

        Assert.False(pool.TryBind(Mac(2), First, Hour));
        Assert.False(pool.TryEnd(Mac(2), First, LeaseState.Free, TimeSpan.Zero));
        Assert.False(pool.TryEnd(Mac(2), First, LeaseState.Quarantined, Hour));
        Assert.True(pool.OwnedBy(Mac(1), First));
    }

    [Fact]
    public void A_declined_address_is_out_of_use_until_its_quarantine_ends()
    {
        var pool = Pool();
        pool.TryBind(Mac(1), First, Hour);
        Assert.True(pool.TryEnd(Mac(1), First, LeaseState.Quarantined, 10 * Minute));

        var others = Enumerable.Range(1, 4).Select(n => pool.Offer(Mac(n), First, 20 * Minute)).ToList();
        Assert.DoesNotContain(First, others);
        Assert.Null(others[3]);
        _clock.Advance(11 * Minute);
        Assert.Equal(First, pool.Offer(Mac(7), First, Minute));
    }

    [Fact]
    public void Leases_survive_a_restart_and_offers_do_not()
    {
        var before = Pool();
        before.TryBind(Mac(1), Last, Hour);
        before.Offer(Mac(2), First, Hour);

        var after = Pool();

        Assert.True(after.OwnedBy(Mac(1), Last));
        Assert.False(after.TryBind(Mac(3), Last, Hour));
        Assert.True(after.TryBind(Mac(3), First, Hour));
    }

    [Theory]
    [InlineData(LeaseState.Quarantined, 10)]
    [InlineData(LeaseState.Bound, -10)]
    [InlineData(LeaseState.Free, 10)]
    public void A_restart_keeps_the_running_lease_whatever_else_the_store_holds_of_the_mac(LeaseState state, int hours)
    {
        // The row that is over is loaded last.
        _store.Save(new Lease(Last, Mac(1), LeaseState.Bound, _clock.GetUtcNow() + Hour));
        _store.Save(new Lease(First, Mac(1), state, _clock.GetUtcNow() + hours * Hour));

        var pool = Pool();

        Assert.True(pool.OwnedBy(Mac(1), Last));
        Assert.False(pool.TryBind(Mac(2), Last, Hour));
        Assert.Equal(state != LeaseState.Quarantined, pool.TryBind(Mac(3), First, Hour));
    }

    [Fact]
    public void A_machine_that_moved_to_another_address_leaves_no_row_behind()
    {
        var pool = Pool();
        pool.TryBind(Mac(1), First, 10 * Hour);
        pool.TryBind(Mac(1), Last, Hour);

        Assert.Equal(Last, Assert.Single(_store.Load()).Address);
    }

    [Fact]
    public void A_machine_gets_the_same_address_from_a_server_that_forgot_everything()
    {
        var first = new AddressPool(IPAddress.Parse("10.0.0.10"), IPAddress.Parse("10.0.255.0"), [], new MemoryLeaseStore(), _clock);
        var second = new AddressPool(IPAddress.Parse("10.0.0.10"), IPAddress.Parse("10.0.255.0"), [], new MemoryLeaseStore(), _clock);
        second.Offer(Mac(2), null, Minute);

        Assert.Equal(first.Offer(Mac(1), null, Minute), second.Offer(Mac(1), null, Minute));
    }

    [Fact]
    public void Ten_thousand_random_steps_never_give_one_address_to_two_machines()
    {
        var random = new Random(77);
        var pool = new AddressPool(IPAddress.Parse("10.0.0.1"), IPAddress.Parse("10.0.0.20"), [], _store, _clock);
        var bound = new Dictionary<MacAddress, (IPAddress Address, DateTimeOffset Until)>();
        for (var step = 0; step < 10_000; step++)
        {
            var mac = Mac(random.Next(40));
            switch (random.Next(6))
            {
                case 0 or 1 or 2 when pool.Offer(mac, null, Minute) is { } address && pool.TryBind(mac, address, Hour):
                    bound[mac] = (address, _clock.GetUtcNow() + Hour);
                    break;
                case 3 when bound.TryGetValue(mac, out var lease) && pool.TryEnd(mac, lease.Address, LeaseState.Free, TimeSpan.Zero):
                    bound.Remove(mac);
                    break;
                case 4 when bound.TryGetValue(mac, out var lease) && pool.TryEnd(mac, lease.Address, LeaseState.Quarantined, 5 * Minute):
                    bound.Remove(mac);
                    break;
                default:
                    _clock.Advance(TimeSpan.FromSeconds(random.Next(120)));
                    break;
            }
            var live = bound.Values.Where(l => l.Until > _clock.GetUtcNow()).Select(l => l.Address).ToList();
            Assert.Equal(live.Count, live.Distinct().Count());
        }
    }
}
