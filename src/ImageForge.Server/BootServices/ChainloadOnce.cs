using System.Collections.Concurrent;
using ImageForge.Contracts;

namespace ImageForge.Server.BootServices;

/// <summary>
/// Keeps an old iPXE from being given our iPXE for ever: a machine whose iPXE is still old after one chainload (the file is
/// not what boot-files.json says, or it does not tell its version) gets the script instead.
/// </summary>
internal sealed class ChainloadOnce(TimeProvider time)
{
    // One DHCP exchange asks several times (DISCOVER repeated, REQUEST, port 4011); all of it must hear the same answer.
    private static readonly TimeSpan OneExchange = TimeSpan.FromSeconds(3);

    // Later than this it is another boot.
    private static readonly TimeSpan OneBoot = TimeSpan.FromSeconds(90);

    private const int MaxMachines = 20_000;

    private readonly ConcurrentDictionary<MacAddress, long> _first = new();

    /// <summary>True: send our iPXE. False: it had its chance a moment ago.</summary>
    public bool TryChainload(MacAddress mac)
    {
        var now = time.GetTimestamp();
        if (_first.Count >= MaxMachines)
            _first.Clear();
        if (!_first.TryGetValue(mac, out var first) || time.GetElapsedTime(first, now) > OneBoot)
        {
            _first[mac] = now;
            return true;
        }
        return time.GetElapsedTime(first, now) <= OneExchange;
    }
}
