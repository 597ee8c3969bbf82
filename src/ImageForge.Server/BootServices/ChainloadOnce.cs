using System.Collections.Concurrent;
using ImageForge.Contracts;

namespace ImageForge.Server.BootServices;

/// <summary>
/// Keeps a machine from being given our iPXE for ever. The version that iPXE tells over DHCP cannot be trusted to end the chain:
/// Debian's builds of 2019 and of 2025 both say 1.0.0. So a machine that got our iPXE a moment ago gets the script next,
/// whatever it says.
/// </summary>
internal sealed class ChainloadOnce(TimeProvider time)
{
    // One DHCP exchange asks several times (DISCOVER repeated, REQUEST, port 4011); all of it must hear the same answer.
    // No iPXE is loaded and asks again sooner: its prompt alone waits 2 s.
    private static readonly TimeSpan OneExchange = TimeSpan.FromSeconds(3);

    // Later than this it is another boot.
    private static readonly TimeSpan OneBoot = TimeSpan.FromSeconds(90);

    private const int MaxMachines = 20_000;

    private readonly ConcurrentDictionary<MacAddress, (long At, TimeSpan Grace)> _given = new();

    /// <summary>Firmware that is not iPXE was offered our iPXE: the next iPXE with this MAC is ours.</summary>
    public void Given(MacAddress mac) => Remember(mac, TimeSpan.Zero);

    /// <summary>True: send our iPXE. False: it had its chance a moment ago.</summary>
    public bool TryChainload(MacAddress mac)
    {
        if (_given.TryGetValue(mac, out var given) && time.GetElapsedTime(given.At) is var age && age <= OneBoot)
            return age <= given.Grace;
        Remember(mac, OneExchange);
        return true;
    }

    private void Remember(MacAddress mac, TimeSpan grace)
    {
        if (_given.Count >= MaxMachines)
            _given.Clear();
        _given[mac] = (time.GetTimestamp(), grace);
    }
}
