using System.Net;
using Dapper;
using ImageForge.Contracts;
using ImageForge.NetBoot.Dhcp;
using ImageForge.Server.Data;

namespace ImageForge.Server.BootServices;

/// <summary>
/// The leases of the full DHCP server in the database. Saved before the ACK goes out (a lease that was promised and then forgotten would be
/// promised twice), therefore synchronous: one small write without a sync of the disk.
/// </summary>
internal sealed class LeaseStore(Database database) : ILeaseStore
{
    public IReadOnlyList<Lease> Load()
    {
        using var connection = database.OpenAsync(CancellationToken.None).AsTask().GetAwaiter().GetResult();
        return [.. connection
            .Query<(string Address, string Mac, string State, long Until)>("SELECT address, mac, state, until FROM dhcp_leases")
            .Select(r => new Lease(IPAddress.Parse(r.Address), MacAddress.Parse(r.Mac), StoredName.Parse<LeaseState>(r.State), r.Until.ToTime()))];
    }

    public void Save(Lease lease) => database.WriteAsync<bool>(async (connection, transaction) =>
    {
        await connection.ExecuteAsync(
            """
            INSERT INTO dhcp_leases (address, mac, state, until) VALUES (@address, @mac, @state, @until)
            ON CONFLICT (address) DO UPDATE SET mac = excluded.mac, state = excluded.state, until = excluded.until
            """,
            new
            {
                address = lease.Address.ToString(),
                mac = lease.Mac.ToString(),
                state = StoredName.Of(lease.State),
                until = Math.Min(lease.Until.ToUnixTimeMilliseconds(), DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()),
            }, transaction);
        return true;
    }, CancellationToken.None).GetAwaiter().GetResult();

    public void Remove(IPAddress address) => database.WriteAsync<bool>(async (connection, transaction) =>
    {
        await connection.ExecuteAsync("DELETE FROM dhcp_leases WHERE address = @address", new { address = address.ToString() }, transaction);
        return true;
    }, CancellationToken.None).GetAwaiter().GetResult();
}
