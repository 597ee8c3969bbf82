using System.Buffers.Binary;
using System.Net;
using ImageForge.Contracts;

namespace ImageForge.NetBoot.Dhcp;

/// <summary>
/// Which address of the range belongs to whom. One MAC has one address and keeps it: after its lease ran out it still
/// gets the same one while nobody else needed it, and a MAC never seen starts at a place that depends on the MAC only,
/// so a forgotten lease file changes little. Not thread-safe: the receive loop owns it.
/// </summary>
internal sealed class AddressPool
{
    private readonly uint _first;
    private readonly uint _last;
    private readonly ILeaseStore _store;
    private readonly TimeProvider _time;
    private readonly HashSet<uint> _reserved;
    private readonly Dictionary<uint, Lease> _byAddress = [];
    private readonly Dictionary<MacAddress, uint> _byMac = [];

    /// <param name="reserved">Addresses inside the range that are never handed out: ours, the gateway's, the network's own.</param>
    public AddressPool(IPAddress first, IPAddress last, IEnumerable<IPAddress> reserved, ILeaseStore store, TimeProvider time)
    {
        (_first, _last) = (Number(first), Number(last));
        if (_last < _first)
            throw new ArgumentException($"the pool ends at {last}, before its start {first}");
        _reserved = [.. reserved.Select(Number)];
        (_store, _time) = (store, time);
        var now = time.GetUtcNow();
        // A MAC may have several rows. The one it uses comes last and stays; what is over does not displace it.
        foreach (var lease in store.Load().Where(l => Contains(l.Address)).OrderBy(l => l.State == LeaseState.Bound && l.Until > now).ThenBy(l => l.Until))
            Put(lease, save: false);
    }

    public bool Contains(IPAddress address) =>
        Number(address) is var number && number >= _first && number <= _last && !_reserved.Contains(number);

    /// <summary>The address this MAC gets, held for it; null when the pool is exhausted.</summary>
    public IPAddress? Offer(MacAddress mac, IPAddress? wish, TimeSpan hold)
    {
        if (Current(mac) is { } lease)
        {
            // A machine that boots while its lease runs keeps it as it is.
            if (lease.State != LeaseState.Bound)
                Put(lease with { State = LeaseState.Offered, Until = _time.GetUtcNow() + hold }, save: false);
            return lease.Address;
        }
        if ((wish is not null && IsFree(wish) ? wish : Pick(mac)) is not { } address)
            return null;
        Put(new Lease(address, mac, LeaseState.Offered, _time.GetUtcNow() + hold), save: false);
        return address;
    }

    /// <summary>True when the address is this MAC's, or nobody's, and is bound to it now.</summary>
    public bool TryBind(MacAddress mac, IPAddress address, TimeSpan duration)
    {
        if (!Contains(address) || !(OwnedBy(mac, address) || IsFree(address)))
            return false;
        Put(new Lease(address, mac, LeaseState.Bound, _time.GetUtcNow() + duration), save: true);
        return true;
    }

    /// <summary>Only the owner can give an address back or have it quarantined; false for anyone else.</summary>
    public bool TryEnd(MacAddress mac, IPAddress address, LeaseState state, TimeSpan duration)
    {
        if (!OwnedBy(mac, address))
            return false;
        Put(new Lease(address, mac, state, _time.GetUtcNow() + duration), save: true);
        return true;
    }

    /// <summary>The client took another server's offer.</summary>
    public void ForgetOffer(MacAddress mac)
    {
        if (Current(mac) is { State: LeaseState.Offered } lease)
            Put(lease with { State = LeaseState.Free }, save: false);
    }

    public bool OwnedBy(MacAddress mac, IPAddress address) => Current(mac) is { } lease && lease.Address.Equals(address);

    private Lease? Current(MacAddress mac) =>
        _byMac.TryGetValue(mac, out var number) && _byAddress.TryGetValue(number, out var lease)
        && lease.Mac == mac && lease.State != LeaseState.Quarantined ? lease : null;

    private bool IsFree(IPAddress address) =>
        Contains(address) && (!_byAddress.TryGetValue(Number(address), out var lease) || HasEnded(lease));

    private bool HasEnded(Lease lease) => lease.State == LeaseState.Free || lease.Until <= _time.GetUtcNow();

    private IPAddress? Pick(MacAddress mac)
    {
        var size = (ulong)_last - _first + 1;
        var start = (uint)(Hash(mac) % size);
        uint? reusable = null;
        for (ulong i = 0; i < size; i++)
        {
            var number = (uint)(_first + (start + i) % size);
            if (_reserved.Contains(number))
                continue;
            if (!_byAddress.TryGetValue(number, out var lease))
                return Address(number);
            // Somebody's old address is taken only when no fresh one is left, the one longest out of use first.
            if (HasEnded(lease) && (reusable is null || lease.Until < _byAddress[reusable.Value].Until))
                reusable = number;
        }
        return reusable is { } found ? Address(found) : null;
    }

    private void Put(Lease lease, bool save)
    {
        var number = Number(lease.Address);
        if (_byAddress.TryGetValue(number, out var old) && old.Mac != lease.Mac && _byMac.GetValueOrDefault(old.Mac) == number)
            _byMac.Remove(old.Mac);
        _byAddress[number] = lease;
        var had = _byMac.TryGetValue(lease.Mac, out var other);
        if (lease.State == LeaseState.Quarantined)
        {
            // The address is nobody's; the MAC that declined it may have another one by now.
            if (had && other == number)
                _byMac.Remove(lease.Mac);
        }
        else
        {
            _byMac[lease.Mac] = number;
            if (had && other != number && _byAddress.Remove(other))
                _store.Remove(Address(other));
        }
        if (save)
            _store.Save(lease);
    }

    /// <summary>FNV-1a: the same in every process, unlike GetHashCode.</summary>
    private static uint Hash(MacAddress mac)
    {
        Span<byte> bytes = stackalloc byte[6];
        mac.CopyTo(bytes);
        var hash = 2166136261u;
        foreach (var b in bytes)
            hash = (hash ^ b) * 16777619u;
        return hash;
    }

    private static uint Number(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[4];
        return address.TryWriteBytes(bytes, out var length) && length == 4
            ? BinaryPrimitives.ReadUInt32BigEndian(bytes)
            : throw new ArgumentException($"{address} is not IPv4");
    }

    private static IPAddress Address(uint number)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, number);
        return new IPAddress(bytes);
    }
}
