using ImageForge.Contracts;
using ImageForge.Server.Data;
using ImageForge.Server.Hosts;

namespace ImageForge.Server.Tests.Hosts;

public sealed class SightingTests
{
    [Fact]
    public async Task An_unknown_machine_is_discovered_and_junk_counts_as_absent()
    {
        await using var server = await TestServer.StartAsync();
        var hosts = server.Get<HostStore>();
        await hosts.RecordSightingsAsync([Sighting(1) with { Uuid = "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", Serial = "Default string", Product = "Board\u0007" }], CancellationToken.None);
        var host = await hosts.FindByMacAsync(Mac(1), CancellationToken.None);
        Assert.NotNull(host);
        Assert.Equal(HostState.Discovered, host.State);
        Assert.Equal((null, null, "Board"), (host.Uuid, host.Serial, host.Product));
    }

    [Fact]
    public async Task A_boot_question_never_overwrites_what_is_known_of_a_host()
    {
        await using var server = await TestServer.StartAsync();
        var hosts = server.Get<HostStore>();
        await hosts.RecordSightingsAsync([Sighting(1) with { Uuid = "4c4c4544-0042-3510-8054-b7c04f4e3132", Serial = "REAL1" }], CancellationToken.None);
        var id = (await hosts.FindByMacAsync(Mac(1), CancellationToken.None))!.Id;
        await hosts.ApproveAsync(id, CancellationToken.None);
        await hosts.RenameAsync(id, "lab-01", CancellationToken.None);
        await hosts.RecordSightingsAsync([Sighting(1) with { Uuid = "4c4c4544-0042-3510-8054-ffffffffff01", Serial = "FORGED", Address = "10.9.9.9" }], CancellationToken.None);
        var host = (await hosts.FindAsync(id, CancellationToken.None))!;
        Assert.Equal(("lab-01", HostState.Approved, "4c4c4544-0042-3510-8054-b7c04f4e3132", "REAL1", "10.9.9.9"), (host.Name, host.State, host.Uuid, host.Serial, host.LastSeenAddress));
    }

    [Fact]
    public async Task Beyond_the_limit_the_discovered_host_not_seen_for_longest_is_forgotten_and_approved_ones_stay()
    {
        await using var server = await TestServer.StartAsync("Boot:DiscoveredLimit=10");
        var hosts = server.Get<HostStore>();
        await hosts.RecordSightingsAsync([Sighting(0)], CancellationToken.None);
        await hosts.ApproveAsync((await hosts.FindByMacAsync(Mac(0), CancellationToken.None))!.Id, CancellationToken.None);
        for (var i = 1; i <= 10; i++)
        {
            server.Clock.Advance(TimeSpan.FromSeconds(1));
            await hosts.RecordSightingsAsync([Sighting(i)], CancellationToken.None);
        }
        server.Clock.Advance(TimeSpan.FromSeconds(1));
        await hosts.RecordSightingsAsync([Sighting(1)], CancellationToken.None);
        await hosts.RecordSightingsAsync([Sighting(11)], CancellationToken.None);

        Assert.Equal(10, (await hosts.ListAsync(HostState.Discovered, Paging.Of(null, null), CancellationToken.None)).Total);
        Assert.NotNull(await hosts.FindByMacAsync(Mac(0), CancellationToken.None));
        Assert.NotNull(await hosts.FindByMacAsync(Mac(1), CancellationToken.None));
        Assert.Null(await hosts.FindByMacAsync(Mac(2), CancellationToken.None));
        Assert.NotNull(await hosts.FindByMacAsync(Mac(11), CancellationToken.None));
    }

    [Fact]
    public async Task A_batch_larger_than_the_limit_keeps_the_limit()
    {
        await using var server = await TestServer.StartAsync("Boot:DiscoveredLimit=10");
        var hosts = server.Get<HostStore>();
        await hosts.RecordSightingsAsync([.. Enumerable.Range(1, 200).Select(Sighting)], CancellationToken.None);
        Assert.Equal(10, (await hosts.ListAsync(null, Paging.Of(null, null), CancellationToken.None)).Total);
    }

    [Fact]
    public async Task An_inventory_fills_gaps_and_adds_macs_but_takes_none_from_another_host()
    {
        await using var server = await TestServer.StartAsync();
        var hosts = server.Get<HostStore>();
        await hosts.CreateAsync("lab-01", [Mac(1)], null, CancellationToken.None);
        await hosts.CreateAsync("lab-02", [Mac(2)], null, CancellationToken.None);
        var one = (await hosts.FindByMacAsync(Mac(1), CancellationToken.None))!;
        var inventory = new Inventory(FirmwarePlatform.Uefi, "x86_64", "4c4c4544-0042-3510-8054-b7c04f4e3132", "To be filled by O.E.M.", null, "Dell", "OptiPlex", "1.2",
            new CpuInventory("cpu", 1, 4, 8), 8L << 30, [], [Nic(1), Nic(2), Nic(3), new NicInventory("lo", "00:00:00:00:00:00", null, null, true, false)]);
        await hosts.SaveInventoryAsync(one.Id, inventory, CancellationToken.None);

        one = (await hosts.FindAsync(one.Id, CancellationToken.None))!;
        Assert.Equal([Mac(1), Mac(3)], one.Macs.OrderBy(m => m.ToString()));
        Assert.Equal(("4c4c4544-0042-3510-8054-b7c04f4e3132", null, "OptiPlex"), (one.Uuid, one.Serial, one.Product));
        Assert.Equal("lab-02", (await hosts.FindByMacAsync(Mac(2), CancellationToken.None))!.Name);
        Assert.Equal(8L << 30, (await hosts.FindInventoryAsync(one.Id, CancellationToken.None))!.MemoryBytes);
    }

    private static NicInventory Nic(int n) => new($"eth{n}", Mac(n).ToString(), "virtio_net", null, true, n == 1);

    private static MacAddress Mac(int n) => MacAddress.Parse($"52540000{n:x4}");

    private static HostSighting Sighting(int n) => new(Mac(n), null, null, null, null, null, "x86_64", "efi", "10.0.0.1");
}
