using System.Net;
using Dapper;
using ImageForge.Contracts;
using ImageForge.NetBoot.Dhcp;
using ImageForge.Server.Data;
using Microsoft.Data.Sqlite;

namespace ImageForge.Server.BootServices;

/// <summary>
/// The leases of the full DHCP server in the database. Saved before the ACK goes out (a lease that was promised and then forgotten would be
/// promised twice), therefore synchronous: one small write without a sync of the disk. A database that cannot write does not end
/// DHCP: the leases hold in memory, and <see cref="SaveAgain"/> writes them when it can.
/// </summary>
internal sealed partial class LeaseStore(Database database, ILogger<LeaseStore> logger) : ILeaseStore
{
    // How long an ACK waits behind other writers.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly Lock _writing = new();
    private readonly Lock _gate = new();

    // Null: to be removed.
    private readonly Dictionary<IPAddress, Lease?> _unsaved = [];
    private bool _failing;

    public IReadOnlyList<Lease> Load()
    {
        using var connection = database.OpenAsync(CancellationToken.None).AsTask().GetAwaiter().GetResult();
        var leases = connection
            .Query<(string Address, string Mac, string State, long Until)>("SELECT address, mac, state, until FROM dhcp_leases")
            .Select(r => new Lease(IPAddress.Parse(r.Address), MacAddress.Parse(r.Mac), StoredName.Parse<LeaseState>(r.State), r.Until.ToTime()))
            .ToList();
        lock (_gate)
            return [.. leases.Where(l => !_unsaved.ContainsKey(l.Address)), .. _unsaved.Values.OfType<Lease>()];
    }

    public void Save(Lease lease) => Keep(lease.Address, lease);

    public void Remove(IPAddress address) => Keep(address, null);

    /// <summary>Writes what could not be written before; does nothing when all is saved. Never throws.</summary>
    public void SaveAgain()
    {
        lock (_gate)
        {
            if (_unsaved.Count == 0)
                return;
        }
        Write();
    }

    private void Keep(IPAddress address, Lease? lease)
    {
        lock (_gate)
        {
            _unsaved[address] = lease;
            // While it fails, one background attempt at a time is enough: machines must not wait for each.
            if (_failing)
                return;
        }
        Write();
    }

    private void Write()
    {
        lock (_writing)
        {
            KeyValuePair<IPAddress, Lease?>[] changes;
            lock (_gate)
                changes = [.. _unsaved];
            try
            {
                using var limit = new CancellationTokenSource(Patience);
                database.WriteAsync(async (connection, transaction) =>
                {
                    foreach (var (address, lease) in changes)
                        await WriteAsync(address, lease, connection, transaction);
                }, limit.Token).GetAwaiter().GetResult();
            }
            catch (Exception e)
            {
                lock (_gate)
                {
                    if (!_failing)
                        LogUnsaved(logger, e);
                    _failing = true;
                }
                return;
            }
            lock (_gate)
            {
                foreach (var (address, lease) in changes)
                {
                    if (_unsaved.TryGetValue(address, out var now) && ReferenceEquals(now, lease))
                        _unsaved.Remove(address);
                }
                if (_failing)
                    LogSavedAgain(logger, changes.Length);
                _failing = false;
            }
        }
    }

    private static Task<int> WriteAsync(IPAddress address, Lease? lease, SqliteConnection connection, SqliteTransaction transaction) => lease is null
        ? connection.ExecuteAsync("DELETE FROM dhcp_leases WHERE address = @address", new { address = address.ToString() }, transaction)
        : connection.ExecuteAsync(
            """
            INSERT INTO dhcp_leases (address, mac, state, until) VALUES (@address, @mac, @state, @until)
            ON CONFLICT (address) DO UPDATE SET mac = excluded.mac, state = excluded.state, until = excluded.until
            """,
            new
            {
                address = address.ToString(),
                mac = lease.Mac.ToString(),
                state = StoredName.Of(lease.State),
                until = Math.Min(lease.Until.ToUnixTimeMilliseconds(), DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()),
            }, transaction);
}
