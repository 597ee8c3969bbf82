using System.Collections.Concurrent;
using System.Net;
using ImageForge.Contracts;

namespace ImageForge.Server.Boot;

/// <summary>
/// Which MAC was last seen to take which address, from DHCP exchanges that our responders answered or overheard. Kept in memory;
/// bounded, because anyone can send DHCP packets.
/// </summary>
internal sealed class DhcpAddressBook(BootOptions options, TimeProvider time)
{
    private const int MaxEntries = 20_000;

    private readonly ConcurrentDictionary<IPAddress, Entry> _byAddress = new();

    public void Record(MacAddress mac, IPAddress address)
    {
        if (!mac.IsUsable || address.Equals(IPAddress.Any) || address.Equals(IPAddress.Broadcast))
            return;
        if (_byAddress.Count >= MaxEntries && !_byAddress.ContainsKey(address))
        {
            foreach (var (old, _) in _byAddress.OrderBy(e => e.Value.At).Take(MaxEntries / 8))
                _byAddress.TryRemove(old, out _);
        }
        _byAddress[address] = new Entry(mac, time.GetTimestamp());
    }

    public void Forget(IPAddress address) => _byAddress.TryRemove(address, out _);

    /// <summary>Null: no exchange seen, or too long ago.</summary>
    public MacAddress? Find(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        return _byAddress.TryGetValue(address, out var entry) && time.GetElapsedTime(entry.At) < TimeSpan.FromMinutes(options.DhcpProofMinutes)
            ? entry.Mac
            : null;
    }

    private sealed record Entry(MacAddress Mac, long At);
}
