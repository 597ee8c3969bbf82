using System.Net;
using Dapper;
using ImageForge.Contracts;
using ImageForge.NetBoot.Dhcp;
using ImageForge.Server.BootServices;
using ImageForge.Server.Data;
using Microsoft.Extensions.Logging.Abstractions;

namespace ImageForge.Server.Tests.BootServices;

public sealed class LeaseStoreTests
{
    [Fact]
    public async Task Leases_survive_a_restart_and_an_address_has_one()
    {
        await using var server = await TestServer.StartAsync();
        var until = DateTimeOffset.FromUnixTimeMilliseconds(1_800_000_000_000);
        var first = new Lease(IPAddress.Parse("10.0.0.50"), MacAddress.Parse("52:54:00:00:00:01"), LeaseState.Bound, until);
        var store = server.Get<LeaseStore>();
        store.Save(first);
        store.Save(new Lease(IPAddress.Parse("10.0.0.51"), MacAddress.Parse("52:54:00:00:00:01"), LeaseState.Quarantined, until));
        store.Save(new Lease(IPAddress.Parse("10.0.0.52"), MacAddress.Parse("52:54:00:00:00:03"), LeaseState.Bound, DateTimeOffset.MaxValue));
        store.Save(first with { Mac = MacAddress.Parse("52:54:00:00:00:02") });
        await server.RestartAsync();
        Assert.Equal(
            ["10.0.0.50 52:54:00:00:00:02 Bound", "10.0.0.51 52:54:00:00:00:01 Quarantined", "10.0.0.52 52:54:00:00:00:03 Bound"],
            server.Get<LeaseStore>().Load().OrderBy(l => l.Address.ToString()).Select(l => $"{l.Address} {l.Mac} {l.State}"));
        Assert.Equal(until, server.Get<LeaseStore>().Load().First(l => l.Address.Equals(IPAddress.Parse("10.0.0.50"))).Until);
        server.Get<LeaseStore>().Remove(IPAddress.Parse("10.0.0.50"));
        Assert.Equal(2, server.Get<LeaseStore>().Load().Count);
    }

    [Fact]
    public async Task A_database_that_cannot_write_does_not_stop_dhcp_and_gets_the_leases_later()
    {
        await using var server = await TestServer.StartAsync();
        var (store, database) = (server.Get<LeaseStore>(), server.Get<Database>());
        await ExecuteAsync(database, "CREATE TRIGGER full BEFORE INSERT ON dhcp_leases BEGIN SELECT RAISE(ABORT, 'full'); END");
        var until = DateTimeOffset.FromUnixTimeMilliseconds(1_800_000_000_000);
        store.Save(new Lease(IPAddress.Parse("10.0.0.50"), MacAddress.Parse("52:54:00:00:00:01"), LeaseState.Bound, until));
        store.Save(new Lease(IPAddress.Parse("10.0.0.51"), MacAddress.Parse("52:54:00:00:00:02"), LeaseState.Bound, until));
        Assert.Equal(2, store.Load().Count);
        await ExecuteAsync(database, "DROP TRIGGER full");
        store.SaveAgain();
        Assert.Equal(2, new LeaseStore(database, NullLogger<LeaseStore>.Instance).Load().Count);
    }

    private static Task ExecuteAsync(Database database, string sql) =>
        database.WriteAsync(async (connection, transaction) => { await connection.ExecuteAsync(sql, transaction: transaction); }, CancellationToken.None);
}
