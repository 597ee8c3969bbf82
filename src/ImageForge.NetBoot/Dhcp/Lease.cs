using System.Net;
using ImageForge.Contracts;

namespace ImageForge.NetBoot.Dhcp;

public enum LeaseState
{
    /// <summary>Offered, held for a short time until the client asks for it.</summary>
    Offered,
    Bound,
    /// <summary>Expired or released: may be given to someone else, but goes to its old owner while nobody needed it.</summary>
    Free,
    /// <summary>A client found it in use (DHCPDECLINE); not handed out until <see cref="Lease.Until"/>.</summary>
    Quarantined,
}

/// <summary>Who has an address of the pool, until when.</summary>
public sealed record Lease(IPAddress Address, MacAddress Mac, LeaseState State, DateTimeOffset Until);

/// <summary>Keeps leases over a restart. Called on the receive loop, one call at a time: must be quick.</summary>
public interface ILeaseStore
{
    /// <summary>Every lease known; called once.</summary>
    IReadOnlyList<Lease> Load();

    /// <summary>Inserts or replaces the lease of <see cref="Lease.Address"/>. Offers are not saved.</summary>
    void Save(Lease lease);

    /// <summary>Forgets the lease of this address: its MAC has another one now. Nothing happens when there is none.</summary>
    void Remove(IPAddress address);
}

/// <summary>Forgets everything with the process.</summary>
public sealed class MemoryLeaseStore : ILeaseStore
{
    private readonly Dictionary<IPAddress, Lease> _leases = [];

    public IReadOnlyList<Lease> Load() => [.. _leases.Values];
    public void Save(Lease lease) => _leases[lease.Address] = lease;
    public void Remove(IPAddress address) => _leases.Remove(address);
}
